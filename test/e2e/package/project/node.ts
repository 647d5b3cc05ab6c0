import { check } from './main.js';

console.log(JSON.stringify(await check()));
