#!/usr/bin/env node
// An older Node cannot even load the rest.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`btfd needs Node 20.19 or newer; ${process.execPath} is ${process.versions.node}`);
  process.exit(1);
}
const { main } = await import('../dist/program/main.js');
await main();
