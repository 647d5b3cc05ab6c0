/** The command lines of all commands: options, and the forms that several of them take. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './errors.ts';

/** What parseArgs makes of options of this form, with `--no-NAME` for flags, and of arguments beside them. */
type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; allowNegative: true }>
>;

/**
 * @param args as after the name of the script
 * @param positionals whether the command takes arguments beside options
 * @param environment where npm leaves the options that it took for itself
 * @throws UsageError naming the option; values are not quoted, since one may be a key
 */
export function parseArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  {
    positionals = false,
    environment = process.env,
  }: { readonly positionals?: boolean; readonly environment?: Environment } = {},
): Parsed<Options> {
  const taken = takenByNpm(args, options, environment);
  if (taken.length > 0) {
    const names = taken.map((name) => `--${name}`);
    const words = taken.map((name) =>
      options[name]?.type === 'string' ? `--${name} ${name.toUpperCase()}` : `--${name}`,
    );
    const { npm_lifecycle_event: script = 'NAME' } = environment;
    const npm = ['start', 'test'].includes(script) ? `npm ${script}` : `npm run ${script}`;
    const others = args.length > 0 ? ['...'] : [];
    throw new UsageError(
      `npm took ${names.join(', ')} for itself, since no -- stands before: write \`${[npm, '--', ...others, ...words].join(' ')}\``,
    );
  }
  let parsed: Parsed<Options>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    throw new UsageError(`${problemOf(error)}; --help lists the options`);
  }
  if (!positionals && parsed.positionals.length > 0) {
    const many = parsed.positionals.length === 1 ? 'argument' : 'arguments';
    throw new UsageError(
      `Unexpected ${many} without an option's name; --help lists the options, and with npm they come after --, as in: npm start -- --port 8790`,
    );
  }
  return parsed;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What npm makes of the letters of an option that has no others: `--small` is to it `-s -m -a -l -l`. (Whatever else it
 * does not know, it keeps by its name.)
 */
const NPM_LETTERS: Readonly<Record<string, string>> = {
  s: 'loglevel',
  m: 'message',
  a: 'all',
  l: 'long',
  p: 'parseable',
};

/**
 * `npm run deploy --dry-run` starts the command without the option, which npm hands on as `npm_config_dry_run` instead:
 * it would deploy. Settings that npm has from a file or from the environment look the same there, and are left alone.
 */
function takenByNpm(args: readonly string[], options: ParseArgsOptionsConfig, environment: Environment): string[] {
  const variable = (name: string) => `npm_config_${name.replaceAll('-', '_')}`;
  const isSet = (name: string) => environment[variable(name)] !== undefined;
  const found = Object.keys(options).filter((name) => {
    if (args.some((one) => new RegExp(`^--(?:no-)?${name}(?:=|$)`).test(one))) return false;
    const letters = [...name].map((letter) => NPM_LETTERS[letter]);
    return isSet(name) || (letters.length > 1 && letters.every((one) => one !== undefined && isSet(one)));
  });
  if (found.length === 0) return found;
  const configured = npmFiles(environment);
  const isFromElsewhere = (name: string) =>
    environment[variable(name).toUpperCase()] !== undefined || new RegExp(`^\\s*${name}\\b`, 'm').test(configured);
  return found.filter((name) => !isFromElsewhere(name));
}

/** What the files of npm's configuration say, as far as they can be read. */
function npmFiles({ npm_config_userconfig, npm_config_globalconfig, npm_config_local_prefix }: Environment): string {
  const project = npm_config_local_prefix === undefined ? undefined : join(npm_config_local_prefix, '.npmrc');
  const texts = [npm_config_userconfig, npm_config_globalconfig, project].map((path) => {
    try {
      return path === undefined ? '' : readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
  return texts.join('\n');
}

/** The options of a command, whose help is printed if it was asked for: then there are none. */
export function orHelp<Options>(options: Options | null, help: string): Options | null {
  if (options === null) process.stdout.write(help);
  return options;
}

/** For a command that takes nothing but --help. @returns whether help was asked for, and is printed */
export function takesNothing(args: readonly string[], help: string): boolean {
  const { values } = parseArguments(args, { help: { type: 'boolean', short: 'h', default: false } });
  return orHelp(values.help ? null : values, help) === null;
}

/** The first sentence of what parseArgs says, which names options, and never what stands behind `=`. */
function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : 'bad option';
  return message.split('\n')[0]?.replace(/\. (?:Did you|To specify).*$/, '') ?? 'bad option';
}

/** @throws UsageError unless it is a whole number from `least` to `most`, in digits */
export function wholeNumberOption(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  // Number() would read an empty text as 0.
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`${option} takes a whole number ${range}, not "${text}"`);
}

/**
 * Ports that fetch refuses to ask (https://fetch.spec.whatwg.org/#port-blocking), so that nobody could look up there.
 */
export const BAD_PORTS: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** Where `npm start` listens if it is not told where. */
export const DEFAULT_URL = 'http://127.0.0.1:8787';

/** @throws UsageError unless it is a port that a server can listen on, and be asked on */
export function portOption(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw new UsageError(`${option}: expected a number from 1 to 65535, found ${text}`);
  }
  if (BAD_PORTS.has(port)) {
    throw new UsageError(`${option}: browsers and fetch refuse to ask port ${port}; choose another, such as 8787`);
  }
  return port;
}

/**
 * @throws UsageError unless it is the http or https address of a server, without credentials, query or fragment, on a
 * port that fetch asks
 */
export function urlOption(option: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`${option}: expected an http or https address such as https://ringfence.example`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${option}: expected no user name or password in the address; the API key goes into --key`);
  }
  // By the text, as an empty query or fragment is there too. Neither is quoted: it may hold a secret.
  if (/[?#]/.test(text)) {
    throw new UsageError(`${option}: expected no ? or # in the address; the API key goes into --key`);
  }
  if (BAD_PORTS.has(Number(url.port))) {
    throw new UsageError(`${option}: fetch refuses to ask port ${url.port}; let the server listen on another`);
  }
  return text;
}

/**
 * A key as it was given, checked for what cannot stand in a header. It is never quoted.
 * @param name of the option, variable or file that it is from
 * @throws UsageError saying which kind of character it was
 */
export function checkedKey(name: string, key: string): string {
  if (/^[\x21-\x7e]*$/.test(key)) return key;
  if (/^[\x21-\x7e]+\r\n?$/.test(key)) {
    throw new UsageError(`${name} ends in a carriage return (CR), as of a file with Windows line ends: remove it`);
  }
  if (/^\s*[\x21-\x7e]+\s*$/.test(key)) {
    throw new UsageError(`${name} begins or ends in a space or line break: remove it`);
  }
  throw new UsageError(`${name}: expected printable ASCII without spaces, found another character`);
}

/** A word of a POSIX shell's command line that is read as this text. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
