/** Well-typed expressions and facts, for properties. */
import fc from 'fast-check';
import { CHANNELS, INDUSTRIES } from '../../../../src/format/attributes.ts';
import type { PolicyFacts } from '../../../../src/policy/policy.ts';

type Text = fc.Arbitrary<string>;
type Type = 'bool' | 'int' | 'double' | 'string';

/** The variables of the macros around an expression. */
type Scope = readonly (readonly [name: string, type: Type])[];

const LABELS = ['modem_pool_card', 'public_sms_receiver', 'reported_abuse'];
const PROJECTS = ['alpha', 'login', 'pool'];
const SCENARIOS = ['', 'login', 'coupon', 'withdrawal'];
const COUNTRIES = ['', 'PH', 'ID', 'US'];
const LINE_TYPES = ['mobile', 'voip', 'unknown'] as const;
const WORDS = [
  ...LABELS,
  ...SCENARIOS,
  ...COUNTRIES,
  ...LINE_TYPES,
  'listed',
  'suspect',
  'clear',
  'pool',
  'o',
  '\u{1F600}',
];

/** Days and record fields as decide.ts makes them: there are none if the number is not listed. */
export const facts: fc.Arbitrary<PolicyFacts> = fc.boolean().chain((isListed) =>
  fc.record({
    verdict: isListed ? fc.constant('listed' as const) : fc.constantFrom('suspect' as const, 'clear' as const),
    level: isListed ? fc.nat(9) : fc.constant(0),
    labels: isListed ? fc.uniqueArray(fc.constantFrom(...LABELS)) : fc.constant([]),
    channels: isListed ? fc.subarray([...CHANNELS]) : fc.constant([]),
    industries: isListed ? fc.subarray([...INDUSTRIES]) : fc.constant([]),
    projects: isListed ? fc.subarray([...PROJECTS]) : fc.constant([]),
    daysSinceSeen: isListed ? fc.nat(100) : fc.constant(null),
    daysListed: isListed ? fc.nat(100) : fc.constant(null),
    sightings: isListed ? fc.integer({ min: 1, max: 50 }) : fc.constant(0),
    neighbourhood: fc.record({ hundred: fc.nat(99), thousand: fc.nat(999), score: fc.nat(99).map((n) => n / 100) }),
    country: fc.constantFrom(null, 'PH', 'ID', 'US'),
    lineType: fc.constantFrom(...LINE_TYPES),
    scenario: fc.constantFrom(null, ...SCENARIOS),
  }),
);

/** cel-js takes integers as bigint, and has no null text. */
export function celFacts({ neighbourhood, ...given }: PolicyFacts) {
  const big = (value: number | null) => (value === null ? null : BigInt(value));
  return {
    ...given,
    level: BigInt(given.level),
    sightings: BigInt(given.sightings),
    daysSinceSeen: big(given.daysSinceSeen),
    daysListed: big(given.daysListed),
    neighbourhood: { ...neighbourhood, hundred: big(neighbourhood.hundred), thousand: big(neighbourhood.thousand) },
    country: given.country ?? '',
    scenario: given.scenario ?? '',
  };
}

export const condition: Text = bool(4, []);

/** One of them, made only when it is drawn: the grammar has no end. */
function pick(...options: readonly (() => Text)[]): Text {
  return fc.nat(options.length - 1).chain((index) => options[index]?.() ?? fc.constant('true'));
}

function template(make: (...parts: string[]) => string, ...parts: readonly Text[]): Text {
  return fc.tuple(...parts).map((texts) => make(...texts));
}

function inScope(scope: Scope, type: Type): readonly (() => Text)[] {
  return scope
    .filter(([, of]) => of === type)
    .map(
      ([name]) =>
        () =>
          fc.constant(name),
    );
}

function operator(...symbols: readonly string[]): Text {
  return fc.constantFrom(...symbols);
}

function constantOf(type: Type): Text {
  if (type === 'bool') return fc.constantFrom('true', 'false');
  if (type === 'int') return fc.integer({ min: -3, max: 100 }).map(String);
  if (type === 'double') return fc.constantFrom('0.0', '0.5', '1.0', '-2.5', '37.0');
  return fc.constantFrom(...WORDS).map((word) => JSON.stringify(word));
}

function bool(depth: number, scope: Scope): Text {
  const leaf = [() => constantOf('bool'), ...inScope(scope, 'bool')];
  if (depth === 0) return pick(...leaf);
  const d = depth - 1;
  const infix = (left: string, op: string, right: string) => `(${left} ${op} ${right})`;
  const compare = (of: (depth: number, scope: Scope) => Text, symbols: readonly string[]) => () =>
    template(infix, of(d, scope), operator(...symbols), of(d, scope));
  const logical = () => template(infix, bool(d, scope), operator('&&', '||'), bool(d, scope));
  return pick(
    ...leaf,
    logical,
    logical,
    () => template((a) => `!${a}`, bool(d, scope)),
    () => ternary(bool(d, scope), bool(d, scope), bool(d, scope)),
    compare(int, ['<', '<=', '>', '>=', '==', '!=']),
    compare(int, ['<', '<=', '>', '>=', '==', '!=']),
    compare(double, ['<', '<=', '>', '>=', '==', '!=']),
    compare(string, ['==', '!=']),
    compare(bool, ['==', '!=']),
    () => template(infix, int(d, scope), operator('<', '<=', '>', '>='), double(d, scope)),
    () => template(infix, double(d, scope), operator('<', '<=', '>', '>='), int(d, scope)),
    () => template(infix, string(d, scope), fc.constant('in'), list(d, scope, 'string')),
    () => template(infix, int(d, scope), fc.constant('in'), list(d, scope, 'int')),
    () => template(infix, double(d, scope), fc.constant('in'), list(d, scope, 'double')),
    () => template(call, string(d, scope), operator('startsWith', 'endsWith', 'contains'), string(d, scope)),
    () => macro(d, scope),
    () => macro(d, scope),
  );
}

const call = (receiver: string, method: string, ...args: string[]) => `${receiver}.${method}(${args.join(', ')})`;

function ternary(test: Text, yes: Text, no: Text): Text {
  return template((a, b, c) => `(${a} ? ${b} : ${c})`, test, yes, no);
}

/** The names shadow each other, and a variable of a rule. */
function macro(depth: number, scope: Scope): Text {
  const types = fc.constantFrom<Type>('string', 'string', 'int', 'double', 'bool');
  return fc.tuple(types, operator('x', 'y', 'level')).chain(([type, name]) => {
    const inner = [...scope.filter(([other]) => other !== name), [name, type] as const];
    const method = operator('exists', 'all', 'exists_one');
    const body = pick(
      () => bool(depth, inner),
      () => about(type, name, depth, inner),
    );
    return template(call, list(depth, scope, type, 1), method, fc.constant(name), body);
  });
}

function about(type: Type, name: string, depth: number, scope: Scope): Text {
  return template((other) => `(${name} == ${other})`, ofType(type)(depth, scope));
}

function int(depth: number, scope: Scope): Text {
  const variables = [
    'level',
    'sightings',
    'daysSinceSeen',
    'daysListed',
    'neighbourhood.hundred',
    'neighbourhood.thousand',
  ];
  const free = variables.filter((name) => !scope.some(([taken]) => taken === name));
  const leaf = [
    () => constantOf('int'),
    () => fc.constantFrom(...free),
    () => fc.constantFrom(...free),
    ...inScope(scope, 'int'),
  ];
  if (depth === 0) return pick(...leaf);
  const d = depth - 1;
  return pick(
    ...leaf,
    () => template((a, op, b) => `(${a} ${op} ${b})`, int(d, scope), operator('+', '-', '*', '/', '%'), int(d, scope)),
    () => template((a) => `-(${a})`, int(d, scope)),
    () => template((a) => `size(${a})`, list(d, scope, 'string')),
    () => template((a) => `${a}.size()`, string(d, scope)),
    () => ternary(bool(d, scope), int(d, scope), int(d, scope)),
  );
}

function double(depth: number, scope: Scope): Text {
  const leaf = [() => constantOf('double'), () => fc.constant('neighbourhood.score'), ...inScope(scope, 'double')];
  if (depth === 0) return pick(...leaf);
  const d = depth - 1;
  return pick(
    ...leaf,
    () => template((a, op, b) => `(${a} ${op} ${b})`, double(d, scope), operator('+', '-', '*', '/'), double(d, scope)),
    () => template((a) => `double(${a})`, int(d, scope)),
    () => template((a) => `-(${a})`, double(d, scope)),
    () => ternary(bool(d, scope), double(d, scope), double(d, scope)),
  );
}

function string(depth: number, scope: Scope): Text {
  const leaf = [
    () => constantOf('string'),
    () => fc.constantFrom('verdict', 'country', 'lineType', 'scenario'),
    ...inScope(scope, 'string'),
  ];
  if (depth === 0) return pick(...leaf);
  const d = depth - 1;
  return pick(...leaf, ...leaf, () => ternary(bool(d, scope), string(d, scope), string(d, scope)));
}

function ofType(type: Type): (depth: number, scope: Scope) => Text {
  return { bool, int, double, string }[type];
}

function list(depth: number, scope: Scope, type: Type, minLength = 0): Text {
  const elements = (of: Text) => fc.array(of, { minLength, maxLength: 4 }).map((texts) => `[${texts.join(', ')}]`);
  const literal = () => elements(constantOf(type));
  const computed = () => elements(ofType(type)(Math.max(0, depth - 1), scope));
  if (type !== 'string') return pick(literal, computed);
  return pick(() => fc.constantFrom('labels', 'channels', 'industries', 'projects'), literal, computed);
}
