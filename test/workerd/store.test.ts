import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach } from 'vitest';
import { KvSliceStore, R2ObjectStore } from '../../src/storage/cloudflare.ts';
import { describeObjectStore, describeSliceStore } from '../support/store-contract.ts';

afterEach(reset);

describeObjectStore('R2', () => new R2ObjectStore(env.STORE));
describeSliceStore('KV', () => new KvSliceStore(env.SLICES));
