/** Puts and gets objects of the Workers' R2 (storage.ts) from outside, as their bindings do. */
export class R2Client {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async put(object: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const ask = Buffer.from(JSON.stringify({ method: 'put', object }));
    const headers = { 'cf-r2-metadata-size': String(ask.length) };
    const response = await fetch(this.#url, { method: 'PUT', headers, body: Buffer.concat([ask, bytes]) });
    if (!response.ok) throw new Error(`put ${object}: ${response.status}`);
    await response.arrayBuffer();
  }

  /** Rejects when it is not there. */
  async get(object: string): Promise<Uint8Array<ArrayBuffer>> {
    const headers = { 'cf-r2-request': JSON.stringify({ method: 'get', object }) };
    const response = await fetch(this.#url, { headers });
    if (!response.ok) throw new Error(`get ${object}: ${response.status}`);
    const whole = new Uint8Array(await response.arrayBuffer());
    return whole.slice(Number(response.headers.get('cf-r2-metadata-size')));
  }
}
