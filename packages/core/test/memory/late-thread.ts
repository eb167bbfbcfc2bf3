/**
 * A shared memory as a thread sees it that has not noticed the growth since `before`, which is an earlier buffer of the
 * memory: the next `grow` renews the buffer of the thread.
 */
export function lateThread(memory: WebAssembly.Memory, before: ArrayBufferLike): WebAssembly.Memory {
  let buffer = before;
  return {
    get buffer() {
      return buffer;
    },
    grow(pages: number): number {
      const size = memory.grow(pages);
      ({ buffer } = memory);
      return size;
    },
  } as WebAssembly.Memory;
}
