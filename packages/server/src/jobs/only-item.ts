/** onlyItem is the item of a job that has one. */
export async function onlyItem<Item>(items: AsyncIterable<Item>): Promise<Item> {
  for await (const item of items) return item;
  throw new Error('the job ended without an item');
}
