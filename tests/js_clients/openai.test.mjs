// OpenAI's API, read by OpenAI's SDK.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI, { APIError, RateLimitError } from 'openai';

const SERVER = process.env.MILLSTREAM_URL;
const TEXT = 'Fish \u2028“swim” 👩‍🚀.';
const TOOLS = [
  {
    type: 'function',
    function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];

const client = new OpenAI({ baseURL: `${SERVER}/openai/v1`, apiKey: 'sk-client', maxRetries: 0 });
const chat = (name, more = {}) => ({ model: 'chat', messages: [{ role: 'user', content: name }], ...more });
const response = (name, more = {}) => ({ model: 'chat', input: name, ...more });

async function read(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Read what a stream has before its error; return both. */
async function failing(stream) {
  const items = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    return { items, error };
  }
  assert.fail('the stream has no error');
}

async function assertUpstreamClosed() {
  assert.deepEqual(await (await fetch(`${SERVER}/closed`)).json(), { closed_by: 'client' });
}

test('chat: the chunks of a text, with usage where it is asked for', async () => {
  const options = { include_usage: true };
  const chunks = await read(await client.chat.completions.create(chat('text', { stream: true, stream_options: options })));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), TEXT);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.total_tokens, 7);
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  const without = await read(await client.chat.completions.create(chat('text', { stream: true })));
  assert.ok(without.every((chunk) => !chunk.usage && chunk.choices.length === 1));
});

test('chat: the helper collects an answer', async () => {
  const stream = client.chat.completions.stream(chat('text', { stream_options: { include_usage: true } }));
  let text = '';
  stream.on('content', (delta) => (text += delta));
  const { choices, usage } = await stream.finalChatCompletion();
  assert.equal(text, TEXT);
  assert.equal(choices[0].message.content, TEXT);
  assert.equal(choices[0].finish_reason, 'stop');
  assert.equal(usage.completion_tokens, 4);
});

test('chat: the helper collects a tool call with growing arguments', async () => {
  const stream = client.chat.completions.stream(chat('tool', { tools: TOOLS }));
  const pieces = [];
  stream.on('tool_calls.function.arguments.delta', ({ arguments_delta }) => pieces.push(arguments_delta));
  const { choices } = await stream.finalChatCompletion();
  const [call] = choices[0].message.tool_calls;
  assert.equal(choices[0].finish_reason, 'tool_calls');
  assert.deepEqual([call.id, call.function.name], ['call_1', 'weather']);
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Lisbon' });
  assert.ok(pieces.filter((piece) => piece).length >= 2);
});

test('chat and responses: a refusal is a refusal', async () => {
  const { choices } = await client.chat.completions.stream(chat('refusal')).finalChatCompletion();
  assert.equal(choices[0].message.refusal, 'I refuse.');
  const { output } = await client.responses.stream(response('refusal')).finalResponse();
  assert.deepEqual(output[0].content.map(({ type, refusal }) => [type, refusal]), [['refusal', 'I refuse.']]);
});

test('chat and responses: two tool calls', async () => {
  const cities = ['Lisbon', 'Porto'];
  const { choices } = await client.chat.completions.stream(chat('tools')).finalChatCompletion();
  assert.deepEqual(choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments).city), cities);
  const { output } = await client.responses.stream(response('tools')).finalResponse();
  assert.deepEqual(output.map((item) => JSON.parse(item.arguments).city), cities);
});

test('chat: a whole answer', async () => {
  const { choices } = await client.chat.completions.create(chat('plain'));
  assert.equal(choices[0].message.content, TEXT);
});

test('completions: chunks and a whole answer', async () => {
  const chunks = await read(await client.completions.create({ model: 'llm', prompt: 'plain', stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join(''), TEXT);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  const { choices } = await client.completions.create({ model: 'llm', prompt: 'plain' });
  assert.equal(choices[0].text, TEXT);
});

test('responses: the helper collects an answer with its reasoning', async () => {
  const stream = client.responses.stream(response('reasoning'));
  const events = await read(stream);
  const final = await stream.finalResponse();
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, place) => place));
  assert.deepEqual(final.output.map((item) => item.type), ['reasoning', 'message']);
  assert.equal(final.output_text, TEXT);
  assert.equal(final.status, 'completed');
  assert.equal(final.usage.output_tokens, 4);
  assert.match(JSON.stringify(final.output[0]), /Hmm\./);
});

test('responses: the helper collects a tool call with growing arguments', async () => {
  const tools = [{ type: 'function', name: 'weather', parameters: TOOLS[0].function.parameters, strict: false }];
  const stream = client.responses.stream(response('tool', { tools }));
  let collected = '';
  stream.on('response.function_call_arguments.delta', ({ delta }) => (collected += delta));
  const { output } = await stream.finalResponse();
  const call = output.find((item) => item.type === 'function_call');
  assert.deepEqual([call.call_id, call.name], ['call_1', 'weather']);
  assert.deepEqual(JSON.parse(call.arguments), { city: 'Lisbon' });
  assert.equal(collected, call.arguments);
});

test('responses: an answer that is too long is incomplete', async () => {
  const { status, incomplete_details } = await client.responses.stream(response('length')).finalResponse();
  assert.deepEqual([status, incomplete_details], ['incomplete', { reason: 'max_output_tokens' }]);
});

for (const name of ['error-frame', 'cut']) {
  test(`chat: ${name} after a part of the text`, async () => {
    const { items, error } = await failing(await client.chat.completions.create(chat(name, { stream: true })));
    assert.equal(items.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'Fish \u2028“swim”');
    assert.ok(error instanceof APIError && error.message.length > 0, String(error));
    assert.ok(!error.message.includes('own words'), error.message);
    assert.ok(items.every((chunk) => chunk.choices[0]?.finish_reason == null));
  });

  test(`responses: ${name} after a part of the text`, async () => {
    const events = [];
    let failure;
    try {
      for await (const event of await client.responses.create(response(name, { stream: true }))) events.push(event);
    } catch (error) {
      failure = error;
    }
    const words = JSON.stringify([events.at(-1), failure?.message]);
    assert.ok(failure instanceof APIError || events.at(-1).type === 'response.failed', words);
    assert.ok(!words.includes('own words'), words);
    assert.ok(events.every((event) => event.type !== 'response.completed'));
  });
}

test('an error status', async () => {
  for (const stream of [true, false]) {
    const error = await client.chat.completions.create(chat('status', { stream })).catch((caught) => caught);
    assert.ok(error instanceof RateLimitError, String(error));
    assert.equal(error.headers.get('retry-after'), '7');
    assert.doesNotMatch(error.message, /own words|sk-secret/);
  }
});

test('a stream that is left closes the upstream', async () => {
  for await (const chunk of await client.chat.completions.create(chat('silent', { stream: true }))) {
    if (chunk.choices[0]?.delta.content?.includes('swim')) break;
  }
  await assertUpstreamClosed();
});

test('a response is taken up after a sequence number', async () => {
  const kept = new OpenAI({ baseURL: `${SERVER}/kept-openai/v1`, apiKey: 'sk-client', maxRetries: 0 });
  const events = [];
  for await (const event of await kept.responses.create(response('text', { stream: true }))) {
    events.push(event);
    if (event.type === 'response.output_text.delta') break;
  }
  const { id } = events[0].response;
  const starting_after = events.at(-1).sequence_number;
  events.push(...(await read(await kept.responses.retrieve(id, { stream: true, starting_after }))));
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, place) => place));
  assert.equal(events.at(-1).type, 'response.completed');
  const deltas = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
  assert.equal(deltas.join(''), TEXT);
});

test('the models are listed', async () => {
  const models = await read(client.models.list());
  assert.deepEqual(models.map((model) => model.id).sort(), ['chat', 'llm']);
});
