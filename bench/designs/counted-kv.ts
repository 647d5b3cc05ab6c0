/** A KV namespace that counts what it is billed for: each key read, there or not, and each key written. */
export class CountedKv {
  reads = 0;
  writes = 0;
  /** Of the values read. */
  bytes = 0;
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  async get(key: string): Promise<string | null> {
    this.reads += 1;
    const value = await this.#kv.get(key);
    this.bytes += value?.length ?? 0;
    return value;
  }

  async put(key: string, value: string): Promise<void> {
    this.writes += 1;
    await this.#kv.put(key, value);
  }
}
