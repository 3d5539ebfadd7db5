#!/usr/bin/env node
import nodeModule from 'node:module';

// An older Node cannot even load the rest.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`btfctl needs Node 20.19 or newer; ${process.execPath} is ${process.versions.node}`);
  process.exit(1);
}
// Before anything large is loaded: the cache takes up only what is compiled after this.
const { useCompileCache } = await import('../dist/compile-cache.js');
useCompileCache(nodeModule, process.env, process.geteuid?.());
const { main } = await import('../dist/main.js');
await main();
