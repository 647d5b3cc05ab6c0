/** workerd hands over WebAssembly modules compiled. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
