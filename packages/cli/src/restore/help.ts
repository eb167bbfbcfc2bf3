/** The page of `shortlist restore --help`. */
export const HELP: string = `shortlist restore: copy a bundle into a folder of versions as the newest version

Usage: shortlist restore BUNDLE FOLDER, for example with a snapshot of a server:
  curl -f -o movies.shortlist http://127.0.0.1:8501/v1/bundle
  shortlist restore movies.shortlist /models/movies
`;
