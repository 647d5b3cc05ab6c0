/**
 * The whole of a body, if it has at most `maxBytes`; null: it has more, and is read no further. No more than that and
 * one chunk is ever held. Rejects when the body breaks off. No body is an empty one.
 */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader = body?.getReader();
  while (reader !== undefined) {
    const { value, done } = await reader.read();
    if (done) break;
    sizeBytes += value.length;
    if (sizeBytes > maxBytes) {
      // Not waited for: whoever sends may never finish.
      reader.cancel().catch(() => undefined);
      return null;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
