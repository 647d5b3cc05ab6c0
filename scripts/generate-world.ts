/** `npm run generate-world`: writes the map that briefings are drawn on. A test holds the file in step with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateWorld, WORLD_FILE } from './generate-world/generate.ts';

const text = generateWorld();
writeFileSync(join(import.meta.dirname, '..', WORLD_FILE), text);
console.log(`${WORLD_FILE}: ${Buffer.byteLength(text)} bytes`);
