// AG-UI's events, read by the agent of its client.
import assert from 'node:assert/strict';
import test from 'node:test';
import { HttpAgent } from '@ag-ui/client';

const SERVER = process.env.MILLSTREAM_URL;
const TEXT = 'Fish \u2028“swim” 👩‍🚀.';
const USAGE = { inputTokens: 3, outputTokens: 4, totalTokens: 7 };

/** Run an agent; return it, its new messages, its events and its failure. */
async function run(name, onEvent = () => {}) {
  const agent = new HttpAgent({ url: `${SERVER}/ag-ui/${name}`, threadId: 'thread-1' });
  agent.setMessages([{ id: 'user-1', role: 'user', content: 'hello' }]);
  const events = [];
  const subscriber = {
    onEvent: ({ event }) => {
      events.push(event);
      onEvent(agent, event);
    },
  };
  const log = console.error;
  console.error = () => {};
  let failure;
  try {
    await agent.runAgent({ runId: 'run-1' }, subscriber);
  } catch (error) {
    failure = error;
  } finally {
    console.error = log;
  }
  return { agent, events, failure, messages: agent.messages.slice(1), last: events.at(-1) };
}

test('a text', async () => {
  const { events, failure, messages, last } = await run('text');
  assert.equal(failure, undefined);
  assert.deepEqual(messages.map(({ role, content }) => ({ role, content })), [{ role: 'assistant', content: TEXT }]);
  const [first] = events;
  assert.deepEqual([first.type, first.threadId, first.runId], ['RUN_STARTED', 'thread-1', 'run-1']);
  assert.deepEqual([last.type, last.threadId, last.runId], ['RUN_FINISHED', 'thread-1', 'run-1']);
  const [usage] = last.usage;
  assert.deepEqual(Object.fromEntries(Object.keys(USAGE).map((key) => [key, usage[key]])), USAGE);
});

test('reasoning before the text', async () => {
  const { failure, messages } = await run('reasoning');
  assert.equal(failure, undefined);
  assert.deepEqual(messages.map(({ role, content }) => [role, content]), [['reasoning', 'Hmm.'], ['assistant', TEXT]]);
});

test('a tool call with growing arguments', async () => {
  const { events, failure, messages } = await run('tool');
  assert.equal(failure, undefined);
  assert.equal(messages.length, 1);
  assert.equal(messages[0].content, 'Look: ');
  assert.deepEqual(messages[0].toolCalls, [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city": "Lisbon"}' } },
  ]);
  assert.ok(events.filter((event) => event.type === 'TOOL_CALL_ARGS').length >= 2);
});

test('two tool calls, and one whose arguments are not valid JSON', async () => {
  const { failure, messages } = await run('tools');
  assert.equal(failure, undefined);
  const calls = messages.flatMap((message) => message.toolCalls);
  assert.deepEqual(calls.map((call) => [call.id, call.function.arguments]), [
    ['call_1', '{"city": "Lisbon"}'],
    ['call_2', '{"city": "Porto"}'],
  ]);
  assert.equal((await run('broken-tool')).messages[0].toolCalls[0].function.arguments, '{"city": ');
});

test('a refusal is a text', async () => {
  const { messages } = await run('refusal');
  assert.deepEqual(messages.map(({ role, content }) => [role, content]), [['assistant', 'I refuse.']]);
});

test("an agent's tool, its source and its data", async () => {
  const { events, failure, messages, last } = await run('agent');
  assert.equal(failure, undefined);
  assert.equal(last.type, 'RUN_FINISHED');
  assert.deepEqual(messages.map(({ role, content }) => [role, content]), [
    ['assistant', 'Look: '],
    ['tool', '22 °C'],
    ['assistant', 'It is 22 °C.'],
  ]);
  assert.equal(new Set(messages.map(({ id }) => id)).size, 3);
  const values = JSON.stringify(events.filter((event) => event.type === 'CUSTOM').map((event) => event.value));
  assert.match(values, /"degrees":22/);
  assert.match(values, /example\.invalid/);
});

for (const name of ['error-frame', 'cut']) {
  test(`${name} after a part of the text`, async () => {
    const { messages, last } = await run(name);
    assert.equal(last.type, 'RUN_ERROR');
    assert.ok(last.message.length > 0 && !last.message.includes('own words'), last.message);
    assert.equal(messages[0].content, 'Fish \u2028“swim”');
  });
}

test('an error status', async () => {
  const { failure } = await run('status');
  assert.equal(failure.status, 429);
  assert.equal(failure.payload.error.type, 'rate_limit_error');
  assert.doesNotMatch(failure.message, /own words/);
});

test('a run that is aborted closes the upstream', async () => {
  await run('silent', (agent, event) => {
    if (event.delta?.includes('swim')) agent.abortRun();
  });
  assert.deepEqual(await (await fetch(`${SERVER}/closed`)).json(), { closed_by: 'client' });
});
