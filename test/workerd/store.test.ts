import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach } from 'vitest';
import { KvSliceStore } from '../../src/storage/kv.ts';
import { R2ObjectStore } from '../../src/storage/r2.ts';
import { describeObjectStore, describeSliceStore } from '../support/store-contract.ts';

afterEach(reset);

describeObjectStore('R2', () => new R2ObjectStore(env.STORE));
describeSliceStore('KV', () => new KvSliceStore(env.SLICES));
