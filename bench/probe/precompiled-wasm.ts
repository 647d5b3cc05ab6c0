/**
 * Lets roaring-wasm start in workerd, which compiles no WebAssembly at run time: the package carries its module as text
 * and would compile it; here it gets the same module as the package's index.wasm, compiled with the Worker. Has to be
 * imported before it.
 */
import roaringModule from './roaring.wasm';

Object.assign(WebAssembly, {
  instantiate: async (_bytes: BufferSource, imports: WebAssembly.Imports) => ({
    module: roaringModule,
    instance: new WebAssembly.Instance(roaringModule, imports),
  }),
});
