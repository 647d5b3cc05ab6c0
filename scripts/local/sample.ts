/** The sample list: numbers seen on public SMS receiver sites, from the npm package of iP.1 Networks AB (MIT). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseNumber } from '../../src/number/parse.ts';
import type { FileSummary } from '../import/import-file.ts';
import { importFiles } from '../import/import-files.ts';
import { realIo } from '../import/io.ts';
import type { DevServer } from './dev-server.ts';

const SAMPLE_PATH = createRequire(import.meta.url).resolve('@ip1sms/disposable-phone-numbers');

/** Digits of a number of the sample to try a lookup with: of the last day, since levels fall with time. */
export function sampleNumber(): string {
  const sample: unknown = JSON.parse(readFileSync(SAMPLE_PATH, 'utf8'));
  const days = Object.entries(sample ?? {}).filter(([key]) => parseNumber(key).ok);
  const [first = ['', '']] = days;
  const [digits] = days.reduce((newest, each) => (each[1] > newest[1] ? each : newest), first);
  if (digits === '') throw new Error('the sample has no valid number');
  return digits;
}

export async function importSample(server: DevServer, key: string, stateFolder: string): Promise<FileSummary> {
  const [summary] = await importFiles(
    {
      files: [SAMPLE_PATH],
      url: server.url,
      key,
      map: { number: '$key', observedAt: '$value' },
      set: { label: 'public_sms_receiver', channel: 'public_receiver', source: 'ip1sms' },
      stateFolder: join(stateFolder, 'import'),
      rejectsPath: join(stateFolder, 'sample.rejects.csv'),
    },
    realIo(process.stderr),
  );
  if (summary === undefined) throw new Error('the sample gave no summary');
  return summary;
}
