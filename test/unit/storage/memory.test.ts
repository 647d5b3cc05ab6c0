import { MemoryCityCache } from '../../../src/storage/city.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../src/storage/memory.ts';
import { describeCityCache, describeObjectStore, describeSliceStore } from '../../support/store-contract.ts';

describeObjectStore('memory', () => new MemoryObjectStore());
describeSliceStore('memory', () => new MemorySliceStore());
describeCityCache('memory', () => new MemoryCityCache());
