/** The examples there are. */
import { join } from 'node:path';

export const EXAMPLES_FOLDER = join(import.meta.dirname, '..', '..', 'examples');

export interface Example {
  readonly name: string;
  readonly title: string;
  /** In workerd, by wrangler, or as a program of Node. */
  readonly runs: 'worker' | 'node';
  /** How it reaches Ringfence. */
  readonly reaches: 'binding' | 'url';
}

export const EXAMPLES: readonly Example[] = [
  { name: 'hono-sign-up', title: 'a Worker with Hono, by service binding', runs: 'worker', reaches: 'binding' },
  { name: 'itty-router-sign-up', title: 'a Worker with itty-router, by URL', runs: 'worker', reaches: 'url' },
  { name: 'express-sign-up', title: 'Express on Node, by URL', runs: 'node', reaches: 'url' },
];
