# Makes tensors.safetensors and the .npy files of this folder with safetensors, numpy and ml_dtypes: python make-tensors.py
import os
import ml_dtypes
import numpy as np
from safetensors.numpy import save_file
os.chdir(os.path.dirname(os.path.abspath(__file__)))
numbers = np.array([[0, 1, -2], [3.5, 0.25, 100]])
whole = np.array([1, 2, 100])
save_file({
    'f64': numbers, 'f32': numbers.astype('<f4'), 'f16': numbers.astype('<f2'), 'bf16': numbers.astype(ml_dtypes.bfloat16),
    'i64': whole.astype('<i8'), 'u8': whole.astype('u1'), 'i8': whole.astype('i1'), 'one': np.array(7, '<f4'),
    'none': np.zeros((0, 4), '<f4'),
}, 'tensors.safetensors', metadata={'made by': 'make-tensors.py'})
np.save('matrix.npy', numbers.astype('<f4'))
np.save('fortran.npy', np.asfortranarray(numbers.astype('>f8')))
np.save('vector.npy', whole.astype('<i4'))
