/** One range of bytes of a representation (RFC 9110, 14). */

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** `a-b`, `a-` or `-n`; more digits than this name no byte of ours. */
const SINGLE = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i;

/**
 * What a Range header asks of `size` bytes. null: all of them, since there is no header, or one that is malformed or
 * asks for several ranges at once, which a server may ignore. 'unsatisfiable': none of the bytes asked for exist.
 */
export function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | null {
  const [, from = '', to = ''] = header?.match(SINGLE) ?? [];
  if (from === '') {
    if (to === '') return null;
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < offset) return null;
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1 };
}

/** Whether an If-None-Match header names this etag; `*` names any that exists. */
export function namesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  // The weak comparison, as RFC 9110 says for this header. No etag of ours has a comma.
  return header.split(',').some((candidate) => {
    const text = candidate.trim();
    return text === '*' || text === etag || text === `W/${etag}`;
  });
}
