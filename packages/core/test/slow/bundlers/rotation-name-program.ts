/** A program that names rotations without their code: prints the errors. */
import { ScaNN } from 'shortlist';

const said: string[] = [];
for (const rotation of ['balanced-pca', 'auto'] as const) {
  try {
    new ScaNN({ rotation });
  } catch (error) {
    said.push((error as Error).message);
  }
}
console.log(JSON.stringify(said));
