/**
 * CRC-32 as in zlib and PNG (reflected polynomial 0xEDB88320), as an unsigned 32-bit integer; of a text's UTF-8. The
 * platform's own is up to twenty times as fast as any in JavaScript, in Workers as in Node.
 */
export { crc32 } from 'node:zlib';
