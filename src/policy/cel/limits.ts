/**
 * Bounds of a policy. A tenant's rules run in every one of its lookups, in an isolate shared with others, so what they
 * can cost is bounded before they are stored, not while they run.
 */

/** Far more rules than a team can keep in mind; ten are usual. */
export const MAX_RULES = 100;

/** A list of all 250 country codes takes 1,250 characters. */
export const MAX_EXPRESSION_CHARS = 2_000;

/** Elements of one list literal: twice all country codes. */
export const MAX_LIST_ELEMENTS = 500;

/** Nodes in the tree of one expression: a list of that length, and some hundred comparisons. */
export const MAX_NODES = 800;

/**
 * Depth of the syntax tree, in which `a || b || c` is as deep as it has terms. What walks the tree recurses (the
 * parser, the checker, the closures), a few stack frames a level, so this keeps the stack far from its end.
 */
export const MAX_DEPTH = 100;

/**
 * Steps of one rule for the most costly facts there can be; a step is one call of a closure, 1.5 to 3 ns. 50
 * comparisons take 150 steps; a macro multiplies its body by the longest that its list can be.
 */
export const MAX_RULE_STEPS = 4_000;

/** Steps of all rules together, for the most costly facts: some 50 us a lookup, as much as an empty route takes. */
export const MAX_POLICY_STEPS = 20_000;

/**
 * A rule that reads `projects`, and a policy with one, may take so many times as many. Their names are up to twice as
 * long as any other, so that a search through them takes twice the steps; and the read of storage that goes before it
 * takes far longer.
 */
export const PROJECTS_FACTOR = 2;

/** Characters that are compared in the time of one step. */
export const CHARS_PER_STEP = 16;

/** Steps that contains() takes at each place of a text, if text and part consist of one letter: 7 ns were measured. */
export const STEPS_PER_PLACE = 3;

/**
 * Closures calculate with JS numbers, which are exact integers up to here. An expression whose integers could leave the
 * range is refused, so inside it every result is that of CEL's 64-bit integers.
 */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** An identifier in an error message is cut to this length. */
export const MAX_QUOTED_CHARS = 64;
