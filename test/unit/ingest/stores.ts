import type { ObjectStore } from '../../../src/storage/store.ts';

export type CallName = 'get' | 'head' | 'put' | 'delete' | 'list' | 'getRange' | 'getIfChanged';

/** Runs around every call: `run` does it on the store underneath. */
export type Around = <T>(name: CallName, key: string, run: () => Promise<T>) => Promise<T>;

/** An object store whose every call goes through `around`, which may delay it, fail it, or fail it after it is done. */
export function wrapStore(store: ObjectStore, around: Around): ObjectStore {
  return {
    get: (key) => around('get', key, () => store.get(key)),
    getIfChanged: (key, etag) => around('getIfChanged', key, () => store.getIfChanged(key, etag)),
    getRange: (key, offset, length) => around('getRange', key, () => store.getRange(key, offset, length)),
    head: (key) => around('head', key, () => store.head(key)),
    put: (key, bytes, condition, owner) => around('put', key, () => store.put(key, bytes, condition, owner)),
    list: (prefix, options) => around('list', prefix, () => store.list(prefix, options)),
    delete: (keys) => around('delete', keys.join(), () => store.delete(keys)),
  };
}
