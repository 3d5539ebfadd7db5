module.exports = {
  mode: 'production',
  target: 'node',
  entry: './list.mjs',
  output: { path: `${__dirname}/out/webpack`, filename: 'list.cjs' },
};
