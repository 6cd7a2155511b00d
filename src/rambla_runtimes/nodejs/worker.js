'use strict';
// What does a Node.js sandbox do with its life?
//
// Started blank as `node worker.js FD`, it reads one INIT and then RUN frames (see ../sandbox/frames.py) and answers
// each. OpenWhisk's convention: `main(object)` gives an object, an array, nothing or a promise of one; a thrown error
// is the developer's, a rejected promise is the application's. The platform believes nothing it says.

const fs = require('fs');
const net = require('net');
const path = require('path');
const vm = require('vm');
const zlib = require('zlib');
const Module = require('module');

const HEADER_BYTES = 12;
const INIT = 1;
const READY = 18;
const RESULT = 19;
const FAILED = 20;
const UNPACKED_BYTES_MAX = 512 * 1024 * 1024;
const INIT_FAILED = 'Initialization has failed due to: ';
const NOT_AN_OBJECT = 'The action did not return a dictionary or array.';
const NOT_JSON = 'The action did not produce a valid JSON or JSON Array response: ';

const OUTPUTS = [process.stdout, process.stderr];
// Node queues in memory what a full pipe does not take; a writer that waits instead cannot print itself to death.
for (const output of OUTPUTS) output._handle?.setBlocking?.(true);

let action;

/** The code of `message` as a function; throws if there is none. */
async function load(message) {
  const name = message.main || 'main';
  if (!message.code) throw new Error('Missing main/no code to execute.');
  const found = message.binary ? await loadFolder(unpack(message.code), name) : loadText(message.code, name);
  if (typeof found !== 'function') throw new Error(`Action entrypoint '${name}' is not a function.`);
  return found;
}

/** Text is run as a module; `main` is what it exports under that name, or its top-level function of that name. */
function loadText(code, name) {
  const module = new Module(path.resolve('action.js'));
  module.filename = module.id;
  module.paths = Module._nodeModulePaths(process.cwd());
  const last = /^[A-Za-z_$][\w$]*$/.test(name) ? `\n;typeof ${name} === 'undefined' ? undefined : ${name}` : '';
  const names = ['exports', 'require', 'module', '__filename', '__dirname'];
  const body = `(function (${names.join(', ')}) {${code}\n;return (() => {${last ? `return ${last.slice(2)}` : ''}})(); })`;
  const wrapper = vm.runInThisContext(body, { filename: module.filename });
  const require = Module.createRequire(module.filename);
  const top = wrapper.call(module.exports, module.exports, require, module, module.filename, process.cwd());
  return member(module.exports, name) || top;
}

async function loadFolder(folder, name) {
  const has = (file) => fs.existsSync(path.join(folder, file));
  if (!has('package.json') && !has('index.js')) {
    throw new Error('Zipped actions must contain either package.json or index.js at the root.');
  }
  process.chdir(folder);
  try {
    return member(require(folder), name);
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM') throw error;
    return member(await import(require.resolve(folder)), name);
  }
}

function member(exported, name) {
  return name.split('.').reduce((value, key) => (value == null ? undefined : value[key]), exported);
}

/** Unpack a zip (APPNOTE.TXT) of stored and deflated members beneath the current folder; gives the new folder. */
function unpack(code) {
  const archive = Buffer.from(code, 'base64');
  const folder = path.resolve('action');
  let room = UNPACKED_BYTES_MAX;
  for (const member of members(archive)) {
    const target = path.resolve(folder, member.name);
    if (!target.startsWith(folder + path.sep)) throw new Error(`the zip file reaches outside: ${member.name}`);
    if (member.name.endsWith('/')) {
      fs.mkdirSync(target, { recursive: true });
      continue;
    }
    const raw = archive.subarray(member.start, member.start + member.packed);
    const data = member.method === 8 ? zlib.inflateRawSync(raw, { maxOutputLength: Math.max(1, room) }) : raw;
    room -= data.length;
    if (room < 0) throw new Error('the zip file unpacks to too much');
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, data, { mode: member.executable ? 0o755 : 0o644 });
  }
  return folder;
}

function* members(archive) {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('cannot unpack the zip file: it is none');
  let at = archive.readUInt32LE(end + 16);
  for (let count = archive.readUInt16LE(end + 10); count > 0; count -= 1) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error('cannot unpack the zip file: its directory is broken');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const local = archive.readUInt32LE(at + 42);
    const method = archive.readUInt16LE(at + 10);
    if ((method !== 0 && method !== 8) || archive.readUInt16LE(at + 8) & 1) {
      throw new Error('cannot unpack the zip file: only plain stored and deflated members are understood');
    }
    yield {
      name: archive.toString('utf8', at + 46, at + 46 + nameBytes),
      method,
      packed: archive.readUInt32LE(at + 20),
      start: local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28),
      executable: ((archive.readUInt32LE(at + 38) >>> 16) & 0o111) !== 0,
    };
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
}

async function init(message) {
  Object.assign(process.env, message.env);
  try {
    action = await load(message);
    return [READY, ''];
  } catch (error) {
    console.error('Error during initialization:', error);
    const text = String((error && error.stack) || error);
    return [FAILED, failure(/^Error: Missing main/.test(text) ? error.message : INIT_FAILED + text)];
  }
}

async function run(message) {
  for (const [key, value] of Object.entries(message.context || {})) process.env[`__OW_${key.toUpperCase()}`] = value;
  let promised;
  try {
    promised = action(message.value);
  } catch (error) {
    console.error(error);
    return [FAILED, failure(`An error has occurred: ${error}`)];
  }
  try {
    return encode(await promised);
  } catch (error) {
    console.error(error);
    return encode({ error: error ? describe(error) : {} });
  }
}

/** A rejection as JSON: plain objects as they are, errors by name, message, stack and whatever they carry. */
function describe(error) {
  if (!(error instanceof Error)) return error;
  return { name: error.name, message: error.message, stack: error.stack, ...error };
}

function encode(result) {
  if (result === undefined) return [RESULT, '{}'];
  if (result === null || typeof result !== 'object') {
    console.error(`Result must be of type object but has type "${typeof result}":`, result);
    return [FAILED, failure(NOT_AN_OBJECT)];
  }
  try {
    return [RESULT, JSON.stringify(result)];
  } catch (error) {
    return [FAILED, failure(NOT_JSON + error)];
  }
}

function failure(text) {
  return JSON.stringify({ error: text });
}

/** What the action printed goes out before the answer, so that the platform finds it there. */
function flushed(output) {
  return output.writableLength && output.writable ? new Promise((resolve) => output.write('', resolve)) : undefined;
}

function serve(stream) {
  let pieces = [];
  let size = 0;
  let busy = false;

  async function work() {
    while (!busy && size >= HEADER_BYTES) {
      if (pieces.length > 1) pieces = [Buffer.concat(pieces)];
      const whole = HEADER_BYTES + pieces[0].readUInt32LE(0);
      if (size < whole) return;
      busy = true;
      await answer(pieces[0].subarray(0, whole));
      busy = false;
      if (pieces.length > 1) pieces = [Buffer.concat(pieces)];
      pieces = [pieces[0].subarray(whole)];
      size -= whole;
    }
  }

  async function answer(frame) {
    const message = JSON.parse(frame.toString('utf8', HEADER_BYTES));
    const [kind, text] = await (frame[8] === INIT ? init(message) : run(message));
    await Promise.all(OUTPUTS.map(flushed));
    const body = Buffer.from(text || 'null');
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(text === '' ? 0 : body.length, 0);
    frame.copy(header, 4, 4, 8);
    header[8] = kind;
    stream.write(text === '' ? header : Buffer.concat([header, body]));
  }

  stream.on('data', (data) => {
    pieces.push(data);
    size += data.length;
    if (!busy && (pieces[0].length < HEADER_BYTES || size >= HEADER_BYTES + pieces[0].readUInt32LE(0))) work();
  });
  stream.on('close', () => process.exit(0));
}

const descriptor = Number(process.argv[2]);
process.argv.length = 1;
serve(new net.Socket({ fd: descriptor, readable: true, writable: true }));
