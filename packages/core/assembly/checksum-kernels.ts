// Exports the kernel of checksums.
export { hashChunks } from './checksum';
