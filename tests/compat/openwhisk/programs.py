"""The code of the actions that several suites run."""

NODE = "nodejs:20"
HELLO = """
function main(params) {
  const greeting = `hello, ${params.payload}!`;
  console.log(greeting);
  return { payload: greeting };
}
"""
WORD_COUNT = """
function main(params) {
  const count = params.payload.toString().split(' ').length;
  console.log(`The message '${params.payload}' has ${count} words`);
  return { count };
}
"""
PRINT_PARAMETERS = """
function main(params) {
  for (const key of Object.keys(params).sort()) console.log(`params.${key}: ${params[key]}`);
  return { params };
}
"""
APPLICATION_ERROR = "def main(args):\n    return {'error': 'This error thrown on purpose by the action.'}\n"
SLEEP = "import time\ndef main(args):\n    time.sleep(args['ms'] / 1000)\n    return {'slept': args['ms']}\n"
HANG_AT_START = "while (true) {}"
CONTEXT = """
function main() {
  const names = Object.keys(process.env).filter((name) => name.startsWith('__OW_'));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
"""
CALL_THE_PLATFORM = """
const http = require('http');
function main() {
  return new Promise((resolve) => {
    http.get(process.env.__OW_API_HOST, (answer) => resolve({ status: answer.statusCode }))
      .on('error', (error) => resolve({ code: error.code }));
  });
}
"""
