import { basename, join, resolve } from 'node:path';
import { FIELDS } from '../../src/ingest/fields.ts';
import { parseInstant } from '../../src/ingest/instant.ts';
import { MAX_DETECTIONS } from '../../src/ingest/limits.ts';
import { checkInputFile } from '../command/paths.ts';
import { formatOf } from './file-format.ts';
import type { FileSource } from './file-rows.ts';
import { ImportError } from './import-error.ts';
import { type FileSummary, importFile } from './import-file.ts';
import type { ImportIo } from './io.ts';
import { checkMapping, type FieldTexts, hasColumnNumbers } from './mapping.ts';
import { ServerLabels } from './server-labels.ts';

export interface ImportRequest {
  /** At least one path; the names say the formats (file-format.ts). */
  readonly files: readonly string[];
  /** Of the API, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly key: string;
  /** Field to header name, 1-based column number, property, or `$key` and `$value` of a JSON object. */
  readonly map?: FieldTexts;
  /** Field to the value of every line. */
  readonly set?: FieldTexts;
  /** Whether CSV and TSV files begin with a header. Default: unless a column is mapped by number. */
  readonly header?: boolean;
  /** Of lines without one, as the API takes it. Default: the date of the file when it was first imported. */
  readonly observedAt?: string;
  /** Rows of a file that are sent at a time. */
  readonly batchSize?: number;
  /** One file for the rejects of all files. Default: `<file>.rejects.csv` in the working folder, for each. */
  readonly rejectsPath?: string;
  /** Where progress is kept. Default: `.ringfence/import` in the working folder. */
  readonly stateFolder?: string;
}

export const DEFAULT_BATCH_SIZE = 20_000;
export const DEFAULT_STATE_FOLDER = join('.ringfence', 'import');

/**
 * Imports files one after the other. Lines that are rejected are no failure; they are counted, and written to a file.
 * @returns a summary for each file, in order
 * @throws ImportError at the first file that cannot be imported to its end
 */
export async function importFiles(request: ImportRequest, io: ImportIo): Promise<FileSummary[]> {
  for (const path of request.files) checkInputFile(path);
  const sources = request.files.map((path) => sourceOf(path, request));
  const rejectsPaths = sources.map(({ path }) => request.rejectsPath ?? `${basename(path)}.rejects.csv`);
  checkRequest(request, rejectsPaths);
  const target = { url: request.url.replace(/\/+$/, ''), key: request.key };
  const labels = new ServerLabels(target, io);
  await labels.check(request.set?.label);
  const summaries: FileSummary[] = [];
  for (const [i, source] of sources.entries()) {
    const rejectsPath = rejectsPaths[i] ?? '';
    const job = {
      source,
      target,
      labels,
      observedAt: request.observedAt ?? null,
      batchSize: request.batchSize ?? DEFAULT_BATCH_SIZE,
      rejectsPath,
      sharedRejects: rejectsPaths.indexOf(rejectsPath) < i,
      stateFolder: request.stateFolder ?? DEFAULT_STATE_FOLDER,
    };
    summaries.push(await importFile(job, io));
  }
  return summaries;
}

function sourceOf(path: string, request: ImportRequest): FileSource {
  const mapping = { map: inOrder(request.map ?? {}), set: inOrder(request.set ?? {}) };
  return { path, format: formatOf(path), header: request.header ?? !hasColumnNumbers(mapping), mapping };
}

/** The same options in another order are the same import. */
function inOrder(texts: FieldTexts): FieldTexts {
  return Object.fromEntries(FIELDS.flatMap((field) => (texts[field] === undefined ? [] : [[field, texts[field]]])));
}

function checkRequest(request: ImportRequest, rejectsPaths: readonly string[]): void {
  const { files, url, key, observedAt, batchSize = DEFAULT_BATCH_SIZE } = request;
  if (files.length === 0) throw new ImportError('name at least one file');
  const protocol = URL.parse(url)?.protocol;
  if (protocol !== 'http:' && protocol !== 'https:') throw new ImportError('--url: expected an http or https URL');
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ImportError(
      'no API key: give one with --key or in RINGFENCE_KEY. It needs the scope "ingest"; `npm start` prints the local one',
    );
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_DETECTIONS) {
    throw new ImportError(`--batch-size: expected an integer from 1 to ${MAX_DETECTIONS}`);
  }
  if (observedAt !== undefined && parseInstant(observedAt) === null) {
    throw new ImportError('--observed-at: expected YYYY-MM-DD, or a date-time with Z or an offset');
  }
  checkMapping({ map: request.map ?? {}, set: request.set ?? {} });
  const inputs = files.map((path) => resolve(path));
  if (rejectsPaths.some((path) => inputs.includes(resolve(path)))) {
    throw new ImportError('--rejects: this is one of the files to import, and would be overwritten');
  }
}
