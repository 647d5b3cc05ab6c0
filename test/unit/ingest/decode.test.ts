import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../src/ingest/body.ts';
import { decodedText } from '../../../src/ingest/decode.ts';
import { streamOf } from './support.ts';

const TEXT = '\ufeffé😀 one\ntwo\u0000';
const MIB = 1024 * 1024;

async function decode(body: string | Uint8Array, gzip: boolean, pieceBytes?: number): Promise<string> {
  let text = '';
  for await (const piece of decodedText(streamOf(body, pieceBytes), { gzip })) text += piece;
  return text;
}

function refusal(code: string, detail: string) {
  return expect.objectContaining({ code, detail: expect.stringContaining(detail) });
}

test.each([false, true])('text in pieces of every size, without its byte order mark; gzip %s', async (gzip) => {
  const body = gzip ? gzipSync(TEXT) : new TextEncoder().encode(TEXT);
  for (let size = 1; size <= body.length; size++) expect(await decode(body, gzip, size)).toBe(TEXT.slice(1));
});

test('shows the decoded bytes, the byte order mark among them', async () => {
  const seen: Uint8Array[] = [];
  for await (const _ of decodedText(streamOf(gzipSync(TEXT), 7), { gzip: true, onBytes: (bytes) => seen.push(bytes) }));
  expect(Buffer.concat(seen)).toEqual(Buffer.from(TEXT));
});

describe('a body that is not text is refused', () => {
  test('bytes that are not UTF-8, in the middle or left over at the end', async () => {
    await expect(decode(Uint8Array.of(0x61, 0xff, 0x61), false)).rejects.toThrow(refusal('invalid-body', 'UTF-8'));
    await expect(decode(Uint8Array.of(0x61, 0xe2, 0x82), false)).rejects.toThrow(refusal('invalid-body', 'UTF-8'));
    await expect(decode(Buffer.from('\ufeffa', 'utf16le'), false)).rejects.toThrow(refusal('invalid-body', 'UTF-8'));
  });

  test.each(['utf16le', 'utf16be', 'utf16le with a mark', 'utf16be with a mark'])('%s, and is told', async (name) => {
    const text = name.endsWith('mark') ? `\ufeff${TEXT.slice(1)}` : 'number\n';
    const bytes = Buffer.from(text, 'utf16le');
    if (name.startsWith('utf16be')) bytes.swap16();
    for (const size of [1, 2, 64]) {
      await expect(decode(bytes, false, size)).rejects.toThrow(refusal('invalid-body', 'save it as UTF-8'));
    }
  });

  test('gzip cut at any byte', async () => {
    const body = gzipSync(TEXT);
    for (let length = 0; length < body.length; length++) {
      await expect(decode(body.subarray(0, length), true)).rejects.toThrow(refusal('invalid-body', 'gzip'));
    }
  });

  test('gzip with a wrong checksum, more after its end, or no gzip at all', async () => {
    const damaged = gzipSync(TEXT);
    damaged[damaged.length - 8] = (damaged[damaged.length - 8] ?? 0) ^ 1;
    const refused = refusal('invalid-body', 'expected one gzip member; found damaged');
    await expect(decode(damaged, true)).rejects.toThrow(refused);
    await expect(decode(Buffer.concat([gzipSync('a'), gzipSync('b')]), true)).rejects.toThrow(refused);
    await expect(decode('plain', true)).rejects.toThrow(refused);
  });

  test('a body that breaks off', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error('connection reset'));
      },
    });
    const read = async () => {
      for await (const _ of decodedText(broken, { gzip: false }));
    };
    await expect(read()).rejects.toThrow(refusal('invalid-body', 'breaks off'));
  });
});

describe('size', () => {
  test('the bound itself is taken, one byte more is not', async () => {
    const most = new Uint8Array(MAX_BODY_BYTES).fill(0x20);
    expect(await decode(most, false)).toHaveLength(MAX_BODY_BYTES);
    expect(await decode(gzipSync(most), true)).toHaveLength(MAX_BODY_BYTES);
    const more = new Uint8Array(MAX_BODY_BYTES + 1).fill(0x20);
    const refused = refusal('payload-too-large', 'expected at most 32 MiB decoded');
    await expect(decode(more, false)).rejects.toThrow(refused);
    await expect(decode(gzipSync(more), true)).rejects.toThrow(refused);
  });

  test('little gzip that is far too much text is given up early', async () => {
    const bomb = gzipSync(new Uint8Array(256 * MIB));
    let readBytes = 0;
    const counted = streamOf(bomb, 1024).pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          readBytes += chunk.length;
          controller.enqueue(chunk);
        },
      }),
    );
    const read = async () => {
      for await (const _ of decodedText(counted, { gzip: true }));
    };
    await expect(read()).rejects.toThrow(refusal('payload-too-large', 'decoded'));
    expect(readBytes).toBeLessThan(bomb.length);
  });

  test('much gzip that is no text', async () => {
    // An empty stored block is 5 bytes for nothing, and a member may have any number of them.
    const header = gzipSync('').subarray(0, 10);
    const block = Uint8Array.of(0, 0, 0, 0xff, 0xff);
    const blocks = new Uint8Array(MIB * block.length);
    for (let at = 0; at < blocks.length; at += block.length) blocks.set(block, at);
    let pieces = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(pieces === 0 ? new Uint8Array(header) : blocks.slice());
        pieces += 1;
      },
    });
    const read = async () => {
      for await (const _ of decodedText(endless, { gzip: true }));
    };
    await expect(read()).rejects.toThrow(refusal('payload-too-large', 'as sent'));
    expect(pieces).toBeLessThan(12);
  });

  test('whoever stops reading stops the sender', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1024).fill(0x61)),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const _ of decodedText(endless, { gzip: false })) break;
    expect(cancelled).toBe(true);
  });
});
