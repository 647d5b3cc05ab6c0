/** What wrangler reads from the file of secrets is what was written, whatever characters a key is made of. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { unstable_getVarsForDev } from 'wrangler';
import { UsageError } from '../../../../scripts/command/errors.ts';
import { writeEnvFile } from '../../../../scripts/local/wrangler.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-env-'));
const path = join(folder, 'dev.vars');
afterAll(() => rmSync(folder, { recursive: true }));

function readBack(): Record<string, unknown> {
  const bindings = unstable_getVarsForDev(join(folder, 'wrangler.toml'), [path], {}, undefined, true);
  return Object.fromEntries(Object.entries(bindings).map(([name, binding]) => [name, binding.value]));
}

test('any key comes back as it was, or is refused without being quoted', () => {
  const awkward = fc.constantFrom(...`'"\`$\\#{}=:-+nrA1~!`.split(''));
  const printable = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const key = fc.string({ unit: fc.oneof(awkward, printable), minLength: 1, maxLength: 40 });
  let refused = 0;
  fc.assert(
    fc.property(key, key, (first, second) => {
      try {
        writeEnvFile(path, { FIRST_KEY: first, SECOND_KEY: second });
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(UsageError);
        expect((error as Error).message).toMatch(/^(?:FIRST|SECOND)_KEY: this mixture of quotes, # and backslashes/);
        return;
      }
      expect(readBack()).toEqual({ FIRST_KEY: first, SECOND_KEY: second });
    }),
    { numRuns: 1_000 },
  );
  expect(refused).toBeLessThan(500);
});

test.each(['$HOME', '$' + '{HOME}x', 'a\\$b', '"', "it's", 'a`b"c', 'back\\slash\\', 'a#b', '\\n\\r', '$$', "'", '`'])(
  '%j is not refused',
  (text) => {
    const key = `rf_${text}_0123456789`;
    writeEnvFile(path, { KEY: key });
    expect(readBack()).toEqual({ KEY: key });
  },
);

test.skipIf(process.platform === 'win32')('nobody else can read the file', () => {
  rmSync(path, { force: true });
  writeEnvFile(path, { KEY: 'secret' });
  expect(readFileSync(path, 'utf8')).toBe("KEY='secret'\n");
  expect(statSync(path).mode & 0o077).toBe(0);
});
