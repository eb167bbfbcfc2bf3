/** True in `npm run test:slow`, which runs every case of tests that `npm test` runs some of. */
export const isThorough: boolean = process.env.SHORTLIST_THOROUGH === '1';
