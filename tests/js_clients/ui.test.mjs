// The UI message stream, read by the transport and the chat behind `useChat`, in two versions.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as six from 'ai';
import * as seven from 'ai-7';

const SERVER = process.env.MILLSTREAM_URL;
const TEXT = 'Fish \u2028“swim” 👩‍🚀.';
const USAGE = { inputTokens: 3, outputTokens: 4, totalTokens: 7 };

class State {
  constructor(messages = []) {
    this.messages = messages;
  }
  status = 'ready';
  error = undefined;
  pushMessage = (message) => this.messages.push(message);
  popMessage = () => this.messages.pop();
  replaceMessage = (index, message) => (this.messages[index] = message);
  snapshot = (value) => structuredClone(value);
}

/** Return how often the models were asked. */
async function asked() {
  return (await (await fetch(`${SERVER}/asked`)).json()).requests;
}

/** Return a `fetch` whose first response breaks off once it has `text`. */
function breakingAt(text) {
  let breaks = true;
  return async (...request) => {
    const response = await fetch(...request);
    if (!breaks) return response;
    breaks = false;
    let seen = '';
    const cut = new TransformStream({
      transform(chunk, controller) {
        seen += new TextDecoder().decode(chunk);
        controller.enqueue(chunk);
        if (seen.includes(text)) controller.error(new TypeError('network error'));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
}

for (const [version, { AbstractChat, DefaultChatTransport, convertToModelMessages }] of Object.entries({ six, seven })) {
  class Chat extends AbstractChat {
    constructor(name, init = {}) {
      const transport = new DefaultChatTransport({ api: `${SERVER}/ui/${name}` });
      super({ transport, state: new State(init.messages), onFinish: (end) => (this.end = end), ...init });
    }
  }

  /** Send a message; return the chat, and the parts of the answer without what is undefined. */
  async function read(name, init) {
    const chat = new Chat(name, init);
    await chat.sendMessage({ text: 'hello' });
    const { message } = chat.end ?? {};
    const parts = JSON.parse(JSON.stringify(message?.parts ?? []));
    return { chat, message, parts, types: parts.map((part) => part.type) };
  }

  test(`${version}: a text`, async () => {
    const { chat, message, parts } = await read('text');
    assert.deepEqual(parts, [{ type: 'step-start' }, { type: 'text', text: TEXT, state: 'done' }]);
    assert.equal(chat.status, 'ready');
    assert.equal(chat.end.finishReason, 'stop');
    assert.deepEqual(message.metadata.usage, USAGE);
    assert.match(message.id, /^msg_/);
  });

  test(`${version}: an answer that is too long`, async () => {
    const { chat } = await read('length');
    assert.equal(chat.end.finishReason, 'length');
  });

  test(`${version}: reasoning before the text`, async () => {
    const { parts, types } = await read('reasoning');
    assert.deepEqual(types, ['step-start', 'reasoning', 'text']);
    assert.equal(parts[1].text, 'Hmm.');
    assert.equal(parts[1].state, 'done');
    assert.equal(parts[2].text, TEXT);
  });

  test(`${version}: a tool call with growing arguments`, async () => {
    const calls = [];
    const { chat, parts, types } = await read('tool', { onToolCall: ({ toolCall }) => calls.push(toolCall) });
    assert.deepEqual(types, ['step-start', 'text', 'tool-weather']);
    assert.equal(parts[2].state, 'input-available');
    assert.equal(parts[2].toolCallId, 'call_1');
    assert.deepEqual(parts[2].input, { city: 'Lisbon' });
    assert.deepEqual(calls.map((call) => call.input), [{ city: 'Lisbon' }]);
    assert.equal(chat.end.finishReason, 'tool-calls');
  });

  test(`${version}: two tool calls, and one whose arguments are not valid JSON`, async () => {
    const { parts } = await read('tools');
    assert.deepEqual(parts.slice(1).map(({ toolCallId, state, input }) => [toolCallId, state, input]), [
      ['call_1', 'input-available', { city: 'Lisbon' }],
      ['call_2', 'input-available', { city: 'Porto' }],
    ]);
    const [, broken] = (await read('broken-tool')).parts;
    assert.deepEqual([broken.type, broken.state], ['tool-weather', 'output-error']);
    // Version 6 keeps what cannot be read apart.
    assert.equal(broken.rawInput ?? broken.input, '{"city": ');
    assert.ok(broken.errorText.length > 0);
  });

  test(`${version}: a refusal is a text`, async () => {
    const { parts } = await read('refusal');
    assert.deepEqual(parts.map(({ type, text }) => text ?? type), ['step-start', 'I refuse.']);
  });

  test(`${version}: a snapshot in place of records`, async () => {
    const { chat, parts } = await read('late');
    assert.equal(chat.status, 'ready');
    const place = parts.findIndex((part) => part.type === 'data-snapshot');
    const rest = parts.slice(place + 1).filter((part) => part.type === 'text');
    assert.equal(parts[place].data.text + rest.map((part) => part.text).join(''), 'Fish swim far.');
  });

  test(`${version}: an agent's tool, its source and its data`, async () => {
    const { chat, parts, types } = await read('agent');
    assert.equal(chat.error, undefined);
    const tool = parts.find((part) => part.type === 'tool-weather');
    assert.equal(tool.state, 'output-available');
    assert.deepEqual([tool.input, tool.output], [{ city: 'Lisbon' }, '22 °C']);
    assert.equal(parts.findLast((part) => part.type === 'text').text, 'It is 22 °C.');
    const source = parts.find((part) => part.type === 'source-url');
    assert.deepEqual([source.url, source.title], ['https://example.invalid/w', 'Weather']);
    assert.deepEqual(parts.find((part) => part.type.startsWith('data-')).data, { degrees: 22 });
    assert.deepEqual(types.filter((type) => type === 'step-start').length, 2);
    const history = await convertToModelMessages(chat.messages);
    assert.deepEqual(history.map((message) => message.role), ['user', 'assistant', 'tool', 'assistant']);
  });

  for (const name of ['error-frame', 'cut']) {
    test(`${version}: ${name} after a part of the text`, async () => {
      const { chat, parts } = await read(name);
      assert.equal(chat.status, 'error');
      assert.equal(parts[1].text, 'Fish \u2028“swim”');
      assert.ok(chat.error.message.length > 0 && !chat.error.message.includes('own words'), chat.error.message);
      assert.equal(chat.end.finishReason, undefined);
      assert.equal(chat.end.isDisconnect, false);
    });
  }

  test(`${version}: an error status is words`, async () => {
    const { chat } = await read('status');
    assert.equal(chat.status, 'error');
    assert.match(chat.error.message, /too many requests/);
    assert.doesNotMatch(chat.error.message, /own words|[{}]/);
  });

  test(`${version}: a chat that is stopped closes the upstream`, async () => {
    const chat = new Chat('silent');
    const sending = chat.sendMessage({ text: 'hello' });
    while (chat.lastMessage?.role !== 'assistant' || !chat.lastMessage.parts.some((part) => part.text?.includes('swim'))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await chat.stop();
    await sending;
    assert.equal(chat.end.isAbort, true);
    assert.deepEqual(await (await fetch(`${SERVER}/closed`)).json(), { closed_by: 'client' });
  });

  test(`${version}: a chat takes its stream up again after the connection broke`, async () => {
    const before = await asked();
    const transport = new DefaultChatTransport({ api: `${SERVER}/kept/silent`, fetch: breakingAt('swim') });
    const chat = new Chat('', { transport });
    await chat.sendMessage({ text: 'hello' });
    assert.deepEqual([chat.status, chat.end.isDisconnect], ['error', true]);
    await fetch(`${SERVER}/release`, { method: 'POST' });
    await chat.resumeStream();
    assert.equal(chat.status, 'ready');
    assert.deepEqual(chat.messages.map(({ role }) => role), ['user', 'assistant']);
    assert.deepEqual(chat.lastMessage.parts.map(({ type, text }) => text ?? type), ['step-start', TEXT]);

    // The page is loaded again.
    const second = new Chat('', { transport, id: chat.id, messages: chat.messages.slice(0, 1) });
    await second.resumeStream();
    assert.deepEqual(second.lastMessage.parts.map(({ type, text }) => text ?? type), ['step-start', TEXT]);
    assert.equal(await asked(), before + 1);
  });

  test(`${version}: a chat without a stream has nothing to take up`, async () => {
    const chat = new Chat('', { transport: new DefaultChatTransport({ api: `${SERVER}/kept/text` }) });
    await chat.resumeStream();
    assert.deepEqual([chat.status, chat.messages], ['ready', []]);
  });
}
