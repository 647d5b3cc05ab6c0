/**
 * CRC-32 as in zlib and PNG (reflected polynomial 0xEDB88320), eight bytes a step ("slicing-by-8", Kounavis & Berry
 * 2005): a plain byte loop would cost more than the SHA-256 that the platform computes natively.
 */
const TABLES = buildTables();

function buildTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    tables[i] = c;
  }
  for (let t = 1; t < 8; t++) {
    for (let i = 0; i < 256; i++) {
      const previous = at(tables, (t - 1) * 256 + i);
      tables[t * 256 + i] = (previous >>> 8) ^ at(tables, previous & 0xff);
    }
  }
  return tables;
}

/** `table[index]` for an index known to be inside it. */
function at(table: Uint32Array, index: number): number {
  return table[index] as number;
}

/** CRC-32 of the bytes, as an unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array): number {
  const t = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end8 = bytes.length - (bytes.length % 8);
  let crc = 0xffffffff;
  let i = 0;
  for (; i < end8; i += 8) {
    const a = (view.getUint32(i, true) ^ crc) >>> 0;
    const b = view.getUint32(i + 4, true);
    crc =
      at(t, 1792 + (a & 0xff)) ^
      at(t, 1536 + ((a >>> 8) & 0xff)) ^
      at(t, 1280 + ((a >>> 16) & 0xff)) ^
      at(t, 1024 + (a >>> 24)) ^
      at(t, 768 + (b & 0xff)) ^
      at(t, 512 + ((b >>> 8) & 0xff)) ^
      at(t, 256 + ((b >>> 16) & 0xff)) ^
      at(t, b >>> 24);
  }
  for (; i < bytes.length; i++) crc = at(t, (crc ^ (bytes[i] as number)) & 0xff) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
