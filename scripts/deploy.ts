/**
 * `npm run deploy`: both Workers, their R2 bucket, KV namespace and cron triggers on the Cloudflare account that
 * wrangler is logged in to, and an admin key if they have none.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { orHelp, parseArguments } from './command/arguments.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { type DeployDeps, deploy, SECRET } from './deploy/deploy.ts';
import { givenAdminKey } from './local/state.ts';
import { WRANGLER } from './local/wrangler.ts';

const HELP = `Deploys both Workers, their R2 bucket, KV namespace and cron triggers to the Cloudflare account that wrangler is logged
in to, and makes an admin key if they have none. What is there already is found again; deploying twice changes nothing.

  npm run deploy
  npm run deploy -- --dry-run
  npm run deploy -- --name NAME

  --dry-run        bundle only; nothing is asked of the account, and nothing deployed
  --name NAME      of the Worker that has the address; the other is NAME-control    (default: those of wrangler.toml)
  --new-admin-key  make a new admin key, show it once, and set it on both Workers in place of the one there is
  --help

RINGFENCE_ADMIN_KEY (32 characters or more), if it is given, is set on both Workers and replaces the admin key there is. Without
it the key stays as it is; where there is none yet, one is made and shown once.
Arguments after another -- are handed on to \`wrangler deploy\` as they are: npm run deploy -- -- --minify
`;

const OPTIONS = {
  'dry-run': { type: 'boolean', default: false },
  name: { type: 'string' },
  'new-admin-key': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const wrangler: DeployDeps['wrangler'] = (args, mode) => {
  const isTerminal = mode === 'terminal';
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', WRANGLER, ...args], {
    cwd: PROJECT,
    encoding: 'utf8',
    stdio: isTerminal ? 'inherit' : 'pipe',
    ...(!isTerminal && { input: mode.input }),
  });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
};

async function main(): Promise<number> {
  const { values, positionals } = parseArguments(process.argv.slice(2), OPTIONS, { positionals: true });
  if (orHelp(values.help ? null : values, HELP) === null) return 0;
  const options = {
    name: values.name,
    dryRun: values['dry-run'],
    newAdminKey: values['new-admin-key'],
    adminKey: givenAdminKey(process.env[SECRET]),
    passedOn: positionals,
  };
  deploy(options, { wrangler, folder: join(PROJECT, '.wrangler', 'workers'), say: (text) => console.log(text) });
  return 0;
}

await runCommand(main);
