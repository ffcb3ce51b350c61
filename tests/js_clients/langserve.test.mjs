// LangServe's routes, read by LangChain.js' client of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { AIMessage, AIMessageChunk, HumanMessage } from '@langchain/core/messages';
import { RemoteRunnable } from '@langchain/core/runnables/remote';

const SERVER = process.env.MILLSTREAM_URL;
const PIECES = ['Fish', ' \u2028“swim”', ' 👩‍🚀', '.'];
const TEXT = PIECES.join('');

// A model's first and last chunks have no text.
const texts = (items) => items.filter((item) => item !== '');
const chain = (path) => new RemoteRunnable({ url: `${SERVER}/langserve/${path}` });

/** Return the items of a stream, and the error that ended it. */
async function read(stream) {
  const items = [];
  try {
    for await (const item of await stream) items.push(item);
  } catch (error) {
    return { items, error };
  }
  return { items };
}

test('a call and a batch', async () => {
  assert.equal(await chain('text').invoke({ case: 'text' }), TEXT);
  assert.deepEqual(await chain('text').batch([{ case: 'text' }, { case: 'text' }]), [TEXT, TEXT]);
  const message = await chain('model').invoke([new HumanMessage('text')]);
  assert.ok(message instanceof AIMessage);
  assert.equal(message.content, TEXT);
});

test('a stream of texts', async () => {
  const { items, error } = await read(chain('text').stream({ case: 'text' }));
  assert.equal(error, undefined);
  assert.deepEqual(texts(items), PIECES);
});

test('a stream of messages', async () => {
  const { items, error } = await read(chain('model').stream([new HumanMessage('text')]));
  assert.equal(error, undefined);
  assert.ok(items.every((item) => item instanceof AIMessageChunk));
  assert.equal(items.reduce((sum, item) => sum.concat(item)).content, TEXT);
});

test('the events of a stream', async () => {
  const { items, error } = await read(chain('text').streamEvents({ case: 'text' }, { version: 'v2' }));
  assert.equal(error, undefined);
  const [first] = items;
  assert.deepEqual([first.event, first.name], ['on_chain_start', '/langserve/text']);
  const chunks = items.filter(({ event, run_id }) => event === 'on_chain_stream' && run_id === first.run_id);
  assert.deepEqual(texts(chunks.map(({ data }) => data.chunk)), PIECES);
  assert.equal(items.at(-1).event, 'on_chain_end');
  const some = await read(
    chain('text').streamEvents({ case: 'text' }, { version: 'v2' }, { includeTypes: ['chat_model'] }),
  );
  assert.deepEqual(new Set(some.items.map(({ name }) => name)), new Set(['ChatOpenAI']));
});

test('the log of a stream', async () => {
  const { items, error } = await read(chain('text').streamLog({ case: 'text' }));
  assert.equal(error, undefined);
  const log = items.reduce((sum, patch) => sum.concat(patch));
  const added = log.ops.filter(({ path }) => path === '/streamed_output/-').map(({ value }) => value);
  assert.deepEqual(texts(added), PIECES);
});

test('a silent stream is read through its keep-alive', async () => {
  const stop = new AbortController();
  const items = [];
  try {
    for await (const item of await chain('text').stream({ case: 'silent' }, { signal: stop.signal })) {
      if (item !== '') items.push(item);
      if (items.length === 2) setTimeout(() => stop.abort(), 200);
    }
  } catch (error) {
    assert.ok(stop.signal.aborted, error);
  }
  assert.deepEqual(items, PIECES.slice(0, 2));
  const closed = await (await fetch(`${SERVER}/closed`)).json();
  assert.equal(closed.closed_by, 'client');
});

for (const name of ['error-frame', 'cut']) {
  test(`an error in a stream: ${name}`, async () => {
    const { error } = await read(chain('text').stream({ case: name }));
    assert.equal(JSON.parse(error.message).status_code, 502);
    assert.doesNotMatch(error.message, /own words/);
  });
}

test('an error before the first chunk', async () => {
  const inStream = await read(chain('text').stream({ case: 'status' }));
  assert.equal(JSON.parse(inStream.error.message).status_code, 429);
  const { error } = await read(chain('patient').stream({ case: 'status' }));
  assert.match(error.message, /status code 429: .*too many requests/);
  assert.equal(error.response.headers.get('retry-after'), '7');
  await assert.rejects(chain('text').invoke({ case: 'status' }), /^Error: 429 Error: .*too many requests/);
});

test('an input that does not fit', async () => {
  await assert.rejects(chain('text').invoke({}), /^Error: 422 Error: .*Field required/);
});
