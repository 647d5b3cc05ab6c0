import { check } from './main.js';

export default {
  fetch: async (): Promise<Response> => Response.json(await check()),
};
