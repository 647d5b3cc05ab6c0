/**
 * `npm run deploy`: the Worker, its R2 bucket, KV namespace and cron trigger on the Cloudflare account that wrangler is
 * logged in to, and an admin key if it has none.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { parseArguments } from './command/arguments.ts';
import { CommandError } from './command/errors.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { WRANGLER } from './local/wrangler.ts';

const SECRET = 'RINGFENCE_ADMIN_KEY';

const HELP = `Deploys the Worker, its R2 bucket, KV namespace and cron trigger to the Cloudflare account that wrangler is logged in
to, and makes an admin key if it has none.

  npm run deploy
  npm run deploy -- --dry-run
  npm run deploy -- --name NAME

  --dry-run    bundle only; nothing is deployed
  --name NAME  of the Worker    (default: that of wrangler.toml)
  --env NAME   of wrangler.toml
  --help

Arguments after another -- are handed on to \`wrangler deploy\` as they are: npm run deploy -- -- --minify
`;

const OPTIONS = {
  'dry-run': { type: 'boolean', default: false },
  name: { type: 'string' },
  env: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function wrangler(args: readonly string[], input?: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['--no-warnings', WRANGLER, ...args], {
    cwd: PROJECT,
    encoding: 'utf8',
    // Wrangler shows its progress and asks its questions itself, except where an answer is piped in or out.
    stdio: input === undefined ? 'inherit' : ['pipe', 'pipe', 'inherit'],
    ...(input !== undefined && { input }),
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArguments(process.argv.slice(2), OPTIONS, { positionals: true });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  // Which Worker it is, for every call.
  const which = [
    ...(values.name === undefined ? [] : ['--name', values.name]),
    ...(values.env === undefined ? [] : ['--env', values.env]),
  ];
  const dryRun = values['dry-run'] ? ['--dry-run'] : [];
  if (wrangler(['deploy', ...which, ...dryRun, ...positionals]).status !== 0) {
    throw new CommandError(
      '\nNothing was changed that a second `npm run deploy` would not repair. Not logged in? Run `npx wrangler login`.',
    );
  }
  if (values['dry-run'] || positionals.includes('--dry-run')) return 0;
  const { status, stdout } = wrangler(['secret', 'list', '--format', 'json', ...which], '');
  if (status !== 0) {
    throw new CommandError(
      `The Worker is deployed, but its secrets could not be listed. Set ${SECRET} with \`npx wrangler secret put ${SECRET}\`.`,
    );
  }
  if (stdout.includes(`"${SECRET}"`)) {
    console.log('\nDeployed. The admin key is as it was.');
    return 0;
  }
  const key = `rf_admin_${randomBytes(24).toString('hex')}`;
  if (wrangler(['secret', 'put', SECRET, ...which], `${key}\n`).status !== 0) {
    throw new CommandError(
      `The Worker is deployed, but has no admin key. Set one with \`npx wrangler secret put ${SECRET}\`.`,
    );
  }
  console.log(
    `\nDeployed. The admin key, shown this once:\n\n  ${key}\n\nMake keys for your services with POST /v1/keys.`,
  );
  return 0;
}

await runCommand(main);
