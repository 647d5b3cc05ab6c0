/**
 * `npm run deploy`: the Worker, its R2 bucket, KV namespace and cron trigger on the Cloudflare account that wrangler is
 * logged in to, and an admin key if it has none. Arguments are handed on to `wrangler deploy`.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');
const WRANGLER = join(PROJECT, 'node_modules', '.bin', 'wrangler');
const SECRET = 'RINGFENCE_ADMIN_KEY';

function wrangler(args: readonly string[], input?: string): SpawnSyncReturns<string> {
  return spawnSync(WRANGLER, args, {
    cwd: PROJECT,
    encoding: 'utf8',
    // Wrangler shows its progress and asks its questions itself, except where an answer is piped in or out.
    stdio: input === undefined ? 'inherit' : ['pipe', 'pipe', 'inherit'],
    ...(input !== undefined && { input }),
  });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const args = process.argv.slice(2);
if (wrangler(['deploy', ...args]).status !== 0) {
  fail(
    '\nNothing was changed that a second `npm run deploy` would not repair. Not logged in? Run `npx wrangler login`.',
  );
}
if (!args.includes('--dry-run')) {
  const { status, stdout } = wrangler(['secret', 'list', '--format', 'json'], '');
  if (status !== 0)
    fail(
      `The Worker is deployed, but its secrets could not be listed. Set ${SECRET} with \`npx wrangler secret put ${SECRET}\`.`,
    );
  if (stdout.includes(`"${SECRET}"`)) {
    console.log('\nDeployed. The admin key is as it was.');
  } else {
    const key = `rf_admin_${randomBytes(24).toString('hex')}`;
    if (wrangler(['secret', 'put', SECRET], `${key}\n`).status !== 0) {
      fail(`The Worker is deployed, but has no admin key. Set one with \`npx wrangler secret put ${SECRET}\`.`);
    }
    console.log(
      `\nDeployed. The admin key, shown this once:\n\n  ${key}\n\nMake keys for your services with POST /v1/keys.`,
    );
  }
}
