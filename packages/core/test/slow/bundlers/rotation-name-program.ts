/** A program that names a rotation without its code: prints the error. */
import { ScaNN } from 'shortlist';

try {
  new ScaNN({ rotation: 'balanced-pca' });
  console.log('[]');
} catch (error) {
  console.log(JSON.stringify([(error as Error).message]));
}
