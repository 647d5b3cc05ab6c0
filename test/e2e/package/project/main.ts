import { Hono } from 'hono';
import { Router } from 'itty-router';
import { ringfence as forHono } from 'ringfence/hono';
import { ringfence as forIttyRouter } from 'ringfence/itty-router';
import { client, fetchHandler, from, phoneOf, replica, signup } from './alone.js';

async function hono(): Promise<unknown> {
  const app = new Hono();
  app.post('/signup', forHono({ from, number: (c) => phoneOf(c.req) }), (c) => c.text(c.get('ringfence').outcome));
  app.post('/dry', forHono({ from, number: (c) => phoneOf(c.req), dryRun: true }), (c) =>
    c.text(c.get('ringfence').outcome),
  );
  const dry = await app.request('/dry', signup());
  return [(await app.request(signup())).status, dry.status, await dry.text()];
}

async function ittyRouter(): Promise<unknown> {
  const router = Router();
  router.post('/signup', forIttyRouter({ from, number: phoneOf }), () => new Response('signed up'));
  const response: Response = await router.fetch(signup());
  return response.status;
}

export async function check(): Promise<Record<string, unknown>> {
  return {
    client: await client(),
    fetch: await fetchHandler(),
    replica: await replica(),
    hono: await hono(),
    ittyRouter: await ittyRouter(),
  };
}
