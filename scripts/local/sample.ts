/** The sample list: numbers seen on public SMS receiver sites, from the npm package of iP.1 Networks AB (MIT). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseNumber } from '../../src/phone/parse.ts';
import type { FileSummary } from '../import/import-file.ts';
import { type ImportIo, realIo } from '../import/upload.ts';
import { importFiles } from '../import.ts';
import type { DevServer } from './dev-server.ts';
import { Stopped } from './supervisor.ts';

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

/** How far the sample of a state folder has come. */
type SampleState = 'none' | 'begun' | 'whole';

const markerIn = (stateFolder: string) => join(stateFolder, 'sample');
const progressIn = (stateFolder: string) => join(stateFolder, 'import');

/** From the marker, or, of a folder that was made before there was one, from what the import has left. */
export function sampleState(stateFolder: string): SampleState {
  const marker = markerIn(stateFolder);
  if (existsSync(marker)) return readFileSync(marker, 'utf8').trim() === 'whole' ? 'whole' : 'begun';
  return existsSync(progressIn(stateFolder)) ? 'begun' : 'none';
}

/**
 * Imports it, from where an earlier start was stopped: each upload is counted once, whatever is sent again.
 * @param stop ends it at once; what was acknowledged stays, and the next start goes on
 * @throws Stopped, and ImportError
 */
export async function importSample(
  server: DevServer,
  key: string,
  stateFolder: string,
  stop: AbortSignal,
): Promise<FileSummary> {
  writeFileSync(markerIn(stateFolder), 'begun\n');
  const [summary] = await importFiles(
    {
      files: [SAMPLE_PATH],
      url: server.url,
      key,
      map: { number: '$key', observedAt: '$value' },
      set: { label: 'public_sms_receiver', channel: 'public_receiver', source: 'ip1sms' },
      stateFolder: progressIn(stateFolder),
      rejectsPath: join(stateFolder, 'sample.rejects.csv'),
    },
    stoppable(realIo(process.stderr), stop),
  );
  if (summary === undefined) throw new Error('the sample gave no summary');
  writeFileSync(markerIn(stateFolder), 'whole\n');
  return summary;
}

/** The same, but each call rejects as soon as the import is to stop, so that nothing is tried again. */
function stoppable(io: ImportIo, stop: AbortSignal): ImportIo {
  const check = () => {
    if (stop.aborted) throw new Stopped('the import was stopped');
  };
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(new Stopped('the import was stopped')), { once: true });
  });
  stopped.catch(() => undefined);
  return {
    ...io,
    async fetch(url, init) {
      check();
      return await io.fetch(url, { ...init, signal: AbortSignal.any([init.signal, stop]) });
    },
    async sleep(milliseconds) {
      check();
      await Promise.race([io.sleep(milliseconds), stopped]);
    },
    // A server that is being stopped is no trouble to tell of.
    out: { ...io.out, write: (text) => (stop.aborted ? true : io.out.write(text)) },
  };
}
