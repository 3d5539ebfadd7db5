#!/usr/bin/env node
'use strict';
const { existsSync } = require('node:fs');
const path = require('node:path');

// An older Node cannot even load the rest.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`btfctl needs Node 20.19 or newer; ${process.execPath} is ${process.versions.node}`);
  process.exit(1);
}
const dist = path.join(__dirname, '../dist');
if (existsSync(path.join(dist, 'start/start.cjs'))) {
  // The packed program. It is CommonJS, which starts sooner and can keep its compiled code: see src/start/.
  require('../dist/start/start.cjs').loadMain(dist, require, process.argv.slice(2), process.env).main();
} else {
  void import('../dist/main.js').then(({ main }) => main());
}
