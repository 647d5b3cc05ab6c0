import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ImportIo } from '../../../../scripts/import/upload.ts';

export { dramaNumber } from '../../ingest/support.ts';

/** A folder of its own, with files in it. */
export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-import-'));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Compressed if the name says so. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.file(name);
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

export interface TestIo extends ImportIo {
  /** All that was written. */
  readonly written: string[];
  /** Milliseconds of each wait. */
  readonly waits: number[];
}

/** 2025-06-01T12:00:00Z, no waiting, and jitter at its most. */
export function testIo(over: Partial<ImportIo> = {}): TestIo {
  const written: string[] = [];
  const waits: number[] = [];
  return {
    fetch: (url, init) => fetch(url, init),
    now: () => Date.UTC(2025, 5, 1, 12),
    sleep: async (milliseconds) => {
      waits.push(milliseconds);
    },
    random: () => 0.999,
    out: { isTerminal: false, write: (text) => written.push(text) },
    ...over,
    written,
    waits,
  };
}
