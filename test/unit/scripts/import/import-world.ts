import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { FileSummary } from '../../../../scripts/import/import-file.ts';
import { type ImportRequest, importFiles } from '../../../../scripts/import.ts';
import { FakeServer, KEY } from './fake-server.ts';
import { dramaNumber, TestFolder, testIo } from './support.ts';

const DAYS = Array.from({ length: 10 }, (_, i) => `2025-01-${String(i + 1).padStart(2, '0')}`);
const ROWS = DAYS.map((day, i) => `${dramaNumber(i)},${day}`);

/** Lines 2 to 11, of which 4 and 9 are rejected. */
export const CSV = ['number,observedAt', ...ROWS.with(2, '1,2025-01-03').with(7, `${dramaNumber(7)},tomorrow`)].join(
  '\n',
);

/** What is to arrive of it, and to be listed. */
export const ALL = DAYS.map((day, i) => `${dramaNumber(i)} ${day} 1 reported_abuse`).filter(
  (_, i) => i !== 2 && i !== 7,
);
export const REJECTS = [
  'file,line,code,detail',
  expect.stringMatching(/^a\.csv,4,invalid-number,/),
  expect.stringMatching(/^a\.csv,9,invalid-date,"?expected observedAt as YYYY-MM-DD/),
];

/** A server, a folder, and imports from the one into the other, three rows at a time. */
export class ImportWorld {
  readonly folder = new TestFolder();
  readonly server = new FakeServer();
  readonly io = testIo();
  url = '';

  static async start(): Promise<ImportWorld> {
    const world = new ImportWorld();
    world.url = await world.server.start();
    return world;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.folder.remove();
  }

  run(files: string | readonly string[], over: Partial<ImportRequest> = {}): Promise<FileSummary[]> {
    const request = {
      files: typeof files === 'string' ? [files] : files,
      url: this.url,
      key: KEY,
      batchSize: 3,
      rejectsPath: this.folder.file('rejects.csv'),
      stateFolder: this.folder.file('state'),
    };
    return importFiles({ ...request, ...over }, this.io);
  }

  /** The lines of the rejects file. */
  rejects(): string[] {
    return readFileSync(this.folder.file('rejects.csv'), 'utf8').trimEnd().split('\n');
  }
}
