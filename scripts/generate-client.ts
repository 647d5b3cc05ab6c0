/** `npm run generate`: writes what the client takes from the OpenAPI document. A test holds the files in step with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateClient } from './generate-client/generate.ts';

const PROJECT = join(import.meta.dirname, '..');

for (const [path, text] of await generateClient()) {
  writeFileSync(join(PROJECT, path), text);
  console.log(`${path}: ${text.split('\n').length - 1} lines`);
}
