import { basename } from 'node:path';
import { ImportError } from './import-error.ts';

export type FileFormat =
  | { readonly kind: 'delimited'; readonly delimiter: ',' | '\t'; readonly gzip: boolean }
  | { readonly kind: 'ndjson' | 'json'; readonly gzip: boolean };

const EXTENSION = /\.(csv|tsv|ndjson|jsonl|json)(\.gz)?$/i;

/** @throws ImportError if the name does not tell */
export function formatOf(file: string): FileFormat {
  const match = EXTENSION.exec(file);
  if (match === null) {
    throw new ImportError(
      `${basename(file)}: expected a name that ends in .csv, .tsv, .ndjson, .jsonl or .json, with or without .gz`,
    );
  }
  const gzip = match[2] !== undefined;
  switch (match[1]?.toLowerCase()) {
    case 'csv':
      return { kind: 'delimited', delimiter: ',', gzip };
    case 'tsv':
      return { kind: 'delimited', delimiter: '\t', gzip };
    case 'json':
      return { kind: 'json', gzip };
    default:
      return { kind: 'ndjson', gzip };
  }
}
