import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BodyError, MAX_LINE_CHARS, MAX_NESTING } from '../../../src/ingest/body.ts';
import { JsonElements } from '../../../src/ingest/json.ts';

/** The elements as JSON.parse reads each; throws what the splitter or JSON.parse throws. */
function split(text: string, cuts: readonly number[] = [], members = false): unknown[] {
  const values: unknown[] = [];
  const elements = new JsonElements(
    (element) => {
      if ('problem' in element) values.push(element.problem);
      else values.push(JSON.parse(element.container === 'object' ? `{${element.text}}` : element.text));
    },
    { members },
  );
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    elements.push(text.slice(from, cut));
    from = cut;
  }
  elements.end();
  return values;
}

function outcomeOf(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch {
    return 'refused';
  }
}

const TRICKY = String.raw` [ {"a":"]},[{\"\\","b":[1,[2,{}]]} ,1.5e3,"\\",null ,[],"é\ud83d\ude00"] `;

describe('against JSON.parse of the whole', () => {
  test('any array, in any two pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 4 })), fc.nat(4), fc.nat(), (values, indent, at) => {
        const text = JSON.stringify(values, null, indent);
        expect(split(text, [at % (text.length + 1)])).toEqual(JSON.parse(text));
      }),
    );
  });

  test('any object, by its members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.nat(), (object, at) => {
        const text = JSON.stringify(object);
        const members = split(text, [at % (text.length + 1)], true).flatMap((member) => Object.entries(Object(member)));
        expect(members).toEqual(Object.entries(JSON.parse(text)));
      }),
    );
  });

  test('text that is nearly JSON: both read it alike, or both refuse it', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '1',
      ' ',
      '\n',
      '\u00a0',
      'null',
      '\\"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, wrap) => {
        const text = wrap ? `[${pieces.join('')}]` : pieces.join('');
        const whole = outcomeOf(() => {
          const value: unknown = JSON.parse(text);
          if (!Array.isArray(value)) throw new Error('not an array');
          return value;
        });
        expect(outcomeOf(() => split(text))).toEqual(whole);
      }),
      { numRuns: 20_000 },
    );
  });

  test('cut at every character', () => {
    const expected = JSON.parse(TRICKY);
    for (let cut = 0; cut <= TRICKY.length; cut++) expect(split(TRICKY, [cut])).toEqual(expected);
    expect(
      split(
        TRICKY,
        Array.from(TRICKY, (_, i) => i),
      ),
    ).toEqual(expected);
  });
});

test.each([
  ['', 'found nothing'],
  [' \n', 'found nothing'],
  ['{"number":"1"}', 'found a single object'],
  ['hello', 'found other text'],
  ['\u00a0[]', 'found other text'],
  ['[1', 'found an end inside element 1'],
  ['["a', 'found an end inside element 1'],
  ['[1]]', 'found text after its end'],
  ['[1] [2]', 'found text after its end'],
  ['[1}', 'an unpaired bracket in element 1'],
  ['[1,,2]', 'nothing in place of element 2'],
  ['[1,]', 'nothing in place of element 2'],
  ['[,]', 'nothing in place of element 1'],
])('%j is not an array', (text, detail) => {
  expect(() => split(text)).toThrow(
    expect.objectContaining({ code: 'invalid-body', detail: expect.stringContaining(detail) }),
  );
  expect(() => split(text)).toThrow(BodyError);
});

test('cutting a document short anywhere is noticed', () => {
  const text = TRICKY.trimEnd();
  for (let length = 0; length < text.length; length++) {
    expect(
      outcomeOf(() => split(text.slice(0, length))),
      text.slice(0, length),
    ).toBe('refused');
  }
});

describe('bounds', () => {
  test('an element at the bound is read, one beyond it is dropped, its neighbours are read', () => {
    const fits = `"${'x'.repeat(MAX_LINE_CHARS - 2)}"`;
    const long = `"${'x'.repeat(MAX_LINE_CHARS - 1)}"`;
    const pieces = Array.from({ length: 300 }, (_, i) => (i + 1) * 1000);
    const values = split(`[1,${fits},${long},2]`, pieces);
    expect(values).toEqual([1, JSON.parse(fits), `expected at most ${MAX_LINE_CHARS} characters; found more`, 2]);
  });

  test('nesting', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const values = split(`[${nested(MAX_NESTING)},${nested(MAX_NESTING + 1)},3]`);
    expect(values).toEqual([
      JSON.parse(nested(MAX_NESTING)),
      `expected at most ${MAX_NESTING} levels of nesting; found more`,
      3,
    ]);
  });
});
