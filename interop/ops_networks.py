"""Cases of operations of networks, and on images."""

import numpy as np
from keras.src.ops import image, math, nn
from ops_cases import b, f, fl, i, it, rng, run


def networks():
    cases = []
    for config, x, kernel in (
        ({}, f(2, 5, 2), f(3, 2, 2)),
        ({"padding": "same", "strides": 2}, f(1, 6, 2), f(3, 2, 2)),
        ({"padding": "same", "dilation_rate": 2}, f(1, 6, 1), f(2, 1, 2)),
        ({"strides": (2, 1), "padding": "same"}, f(1, 4, 5, 2), f(3, 2, 2, 2)),
        ({}, f(1, 4, 4, 4), f(2, 2, 2, 4)),
        ({"data_format": "channels_first", "padding": "same"}, f(1, 2, 4, 3), f(3, 3, 2, 1)),
        ({"padding": "same", "strides": 2}, f(1, 3, 3, 3, 1), f(2, 2, 2, 1, 2)),
    ):
        cases.append(run(nn.Conv, config, [x, kernel]))
    cases.append(run(nn.DepthwiseConv, {"padding": "same"}, [f(1, 4, 3), f(3, 3, 2)]))
    cases.append(run(nn.DepthwiseConv, {"strides": 2}, [f(1, 5, 5, 2), f(2, 2, 2, 1)]))
    cases.append(run(nn.DepthwiseConv, {"data_format": "channels_first"}, [f(1, 2, 3, 3), f(2, 2, 2, 2)]))
    cases.append(run(nn.SeparableConv, {"padding": "same"}, [f(1, 4, 4, 2), f(3, 3, 2, 2), f(1, 1, 4, 3)]))
    for kernel in (1, 2, 3, 4, 5):
        for stride in (1, 2, 3):
            for padding in ("valid", "same"):
                cases.append(run(nn.ConvTranspose, {"strides": stride, "padding": padding}, [f(1, 3, 1), f(kernel, 1, 1)]))
    for output_padding in (0, 1, 2):
        for padding in ("valid", "same"):
            config = {"strides": 2, "padding": padding, "output_padding": output_padding}
            cases.append(run(nn.ConvTranspose, config, [f(1, 3, 2), f(3, 1, 2)]))
            cases.append(run(nn.ConvTranspose, config, [f(1, 3, 2), f(4, 1, 2)]))
    cases.append(run(nn.ConvTranspose, {"strides": 2, "padding": "same"}, [f(1, 3, 2, 2), f(3, 3, 3, 2)]))
    cases.append(run(nn.ConvTranspose, {"strides": 1, "dilation_rate": 2}, [f(1, 3, 3, 1), f(2, 2, 1, 1)]))
    cases.append(run(nn.ConvTranspose, {"strides": 1, "dilation_rate": 2, "padding": "same"}, [f(1, 4, 1), f(3, 1, 1)]))
    cases.append(run(nn.ConvTranspose, {"data_format": "channels_first", "strides": 2}, [f(1, 2, 2, 2), f(2, 2, 1, 2)]))
    cases.append(run(nn.ConvTranspose, {"strides": 2}, [f(1, 2, 2, 2, 1), f(2, 2, 2, 1, 1)]))
    for cls in (nn.MaxPool, nn.AveragePool):
        cases.append(run(cls, {"pool_size": 2, "strides": 2}, [f(1, 5, 2)]))
        cases.append(run(cls, {"pool_size": 3, "strides": 2, "padding": "same"}, [f(1, 5, 4, 2)]))
        cases.append(run(cls, {"pool_size": (2, 1), "strides": (1, 2), "data_format": "channels_first"}, [f(1, 2, 3, 4)]))
        cases.append(run(cls, {"pool_size": 2, "strides": 1, "padding": "same"}, [f(1, 3, 3, 3, 1)]))
    for cls in (nn.AdaptiveMaxPool, nn.AdaptiveAveragePool):
        cases.append(run(cls, {"output_size": 3, "data_format": "channels_last"}, [f(1, 7, 2)]))
        cases.append(run(cls, {"output_size": (2, 3), "data_format": "channels_first"}, [f(1, 2, 5, 4)]))
        cases.append(run(cls, {"output_size": (1, 2, 2), "data_format": "channels_last"}, [f(1, 3, 4, 3, 1)]))
    cases.append(run(nn.BatchNorm, {"axis": -1}, [f(2, 3, 2), f(2), f(2, lo=0.1), f(2), f(2)]))
    cases.append(run(nn.BatchNorm, {"axis": 1, "epsilon": 0.01}, [f(2, 3, 2), f(3), f(3, lo=0.1)]))
    cases.append(run(nn.LayerNorm, {}, [f(2, 3, 4), f(4), f(4)]))
    cases.append(run(nn.LayerNorm, {"axis": [1, 2], "epsilon": 0.001}, [f(2, 3, 2), f(3, 2), f(3, 2)]))
    cases.append(run(nn.LayerNorm, {"axis": 1}, [f(2, 3, 2), f(3)]))
    cases.append(run(nn.LayerNorm, {"rms_scaling": True}, [f(2, 4), f(4)]))
    cases.append(run(nn.RMSNorm, {}, [f(2, 4), f(4)]))
    cases.append(run(nn.RMSNorm, {"axis": [1, 2], "epsilon": 0.01}, [f(2, 3, 2)]))
    for order in (1, 2, 3):
        cases.append(run(nn.Normalize, {"order": order, "axis": 1}, [f(2, 3)]))
    cases.append(run(nn.Normalize, {}, [fl([[0, 0], [3, 4]])]))
    q = f(2, 3, 2, 4)
    cases.append(run(nn.DotProductAttention, {}, [q, f(2, 5, 2, 4), f(2, 5, 2, 4)]))
    cases.append(run(nn.DotProductAttention, {"is_causal": True}, [q, f(2, 3, 2, 4), f(2, 3, 2, 4)], {"scale": 0.3}))
    cases.append(run(nn.DotProductAttention, {}, [q, f(2, 5, 1, 4), f(2, 5, 1, 4)],
                     {"bias": f(2, 2, 3, 5), "mask": b(2, 1, 3, 5)}))
    p = np.round(rng.dirichlet([1, 1, 1], 3), 3).astype("float32")
    onehot = np.eye(3, dtype="float32")
    cases.append(run(nn.BinaryCrossentropy, {}, [fl([0, 1, 1, 0]), fl([0.2, 0.7, 0, 1])]))
    cases.append(run(nn.BinaryCrossentropy, {"from_logits": True}, [fl([0, 1, 1, 0]), fl([2, -3, 0.5, 40])]))
    cases.append(run(nn.CategoricalCrossentropy, {}, [onehot, p]))
    cases.append(run(nn.CategoricalCrossentropy, {"from_logits": True}, [onehot, f(3, 3)]))
    cases.append(run(nn.SparseCategoricalCrossentropy, {}, [it([2, 0, 1]), p]))
    cases.append(run(nn.SparseCategoricalCrossentropy, {"from_logits": True}, [it([[2], [0], [1]]), f(3, 3)]))
    cases.append(run(nn.PSNR, {"max_val": 2.0}, [f(2, 3), f(2, 3)]))
    cases.append(run(nn.Unfold, {"kernel_size": 2}, [f(1, 2, 3, 3)]))
    cases.append(run(nn.Unfold, {"kernel_size": (2, 3), "dilation": (1, 2), "padding": 1, "stride": 2}, [f(1, 2, 4, 5)]))
    cases.append(run(nn.Fold, {"output_size": 3, "kernel_size": 2}, [f(1, 8, 4)]))
    cases.append(run(nn.Fold, {"output_size": (4, 4), "kernel_size": 2, "padding": 1, "stride": 2}, [f(1, 4, 9)]))
    for data_format in ("channels_last", "channels_first"):
        cases.append(run(nn.DepthToSpace, {"block_size": 2, "data_format": data_format}, [f(1, 4, 4, 4)]))
        cases.append(run(nn.SpaceToDepth, {"block_size": 2, "data_format": data_format}, [f(1, 2, 4, 4)]))
    cases.append(run(math.ExtractSequences, {"sequence_length": 3, "sequence_stride": 2}, [f(2, 8)]))
    cases.append(run(math.RFFT, {}, [f(2, 6)]))
    cases.append(run(math.RFFT, {"fft_length": 8}, [f(5)]))
    cases.append(run(math.IRFFT, {}, [[f(2, 4), f(2, 4)]]))
    cases.append(run(math.IRFFT, {"fft_length": 5}, [[f(3), f(3)]]))
    cases.append(run(math.FFT, {}, [[f(2, 5), f(2, 5)]]))
    frames = {"sequence_length": 5, "sequence_stride": 3, "fft_length": 8}
    for config in ({}, {"window": "hamming", "center": False}, {"window": None}):
        cases.append(run(math.STFT, {**frames, **config}, [f(2, 20)]))
    cases.append(run(image.ExtractPatches, {"size": (2, 2)}, [f(1, 4, 5, 2)]))
    cases.append(run(image.ExtractPatches, {"size": (3, 2), "strides": 1, "padding": "same"}, [f(3, 3, 1)]))
    return cases


def images():
    cases = []
    for interpolation in "nearest bilinear bicubic lanczos3 lanczos5".split():
        config = {"interpolation": interpolation, "data_format": "channels_last"}
        cases.append(run(image.Resize, {"size": (5, 3), **config}, [f(1, 3, 4, 2)]))
        cases.append(run(image.Resize, {"size": (2, 7), **config}, [f(5, 5, 1)]))
        if interpolation != "nearest":
            cases.append(run(image.Resize, {"size": (2, 3), "antialias": True, **config}, [f(1, 5, 6, 1)]))
    cases.append(run(image.Resize, {"size": (4, 2), "data_format": "channels_first"}, [f(1, 2, 3, 3)]))
    cases.append(run(image.Resize, {"size": (3, 3), "crop_to_aspect_ratio": True}, [f(1, 4, 6, 1)]))
    cases.append(run(image.Resize, {"size": (3, 3), "pad_to_aspect_ratio": True, "fill_value": 2.0}, [f(1, 2, 6, 1)]))
    cases.append(run(image.Resize, {"size": (7, 7)}, [i(1, 3, 4, 1)]))
    cases.append(run(image.PadImages, {"top_padding": 1, "left_padding": 2, "target_height": 5, "target_width": 6},
                     [f(1, 3, 2, 1)]))
    cases.append(run(image.PadImages, {"top_padding": 1, "left_padding": 0, "bottom_padding": 2, "right_padding": 1,
                                       "data_format": "channels_first"}, [f(1, 2, 2)]))
    cases.append(run(image.CropImages, {"top_cropping": 1, "left_cropping": 2, "target_height": 2, "target_width": 1},
                     [f(1, 4, 4, 1)]))
    cases.append(run(image.CropImages, {"top_cropping": 1, "left_cropping": 0, "bottom_cropping": 1,
                                        "right_cropping": 1}, [f(4, 3, 2)]))
    cases.append(run(image.RGBToGrayscale, {}, [f(1, 2, 2, 3)]))
    cases.append(run(image.RGBToGrayscale, {"data_format": "channels_first"}, [f(3, 2, 2)]))
    colours = np.concatenate([f(1, 2, 4, 3, lo=0, hi=1), fl([[[[0, 0, 0], [1, 1, 1], [0.5, 0, 0.5], [1, 0, 0]]]])], 1)
    cases.append(run(image.RGBToHSV, {}, [colours]))
    cases.append(run(image.HSVToRGB, {}, [colours]))
    for interpolation in ("nearest", "bilinear"):
        for fill_mode in "constant nearest wrap mirror reflect".split():
            config = {"interpolation": interpolation, "fill_mode": fill_mode, "fill_value": 0.5}
            cases.append(run(image.AffineTransform, config, [f(1, 3, 4, 1), fl([0.9, 0.23, -1.3, -0.4, 1.1, 0.77, 0, 0])]))
    cases.append(run(image.AffineTransform, {"data_format": "channels_first"},
                     [f(2, 2, 3, 3), fl([[1, 0, 1, 0, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0, 0, 0]])]))
    for order in (0, 1):
        for fill_mode in "constant nearest wrap mirror reflect".split():
            config = {"order": order, "fill_mode": fill_mode}
            cases.append(run(image.MapCoordinates, config, [f(3, 4), f(2, 6, lo=-3, hi=6)]))
    cases.append(run(image.GaussianBlur, {"kernel_size": (3, 5), "sigma": (0.8, 1.5)}, [f(1, 5, 5, 2)]))
    cases.append(run(image.SobelEdges, {"data_format": "channels_last"}, [f(1, 4, 3, 2)]))
    for method in ("linear", "bicubic", "lanczos3"):
        cases.append(run(image.ScaleAndTranslate, {"spatial_dims": (0, 1), "method": method},
                         [f(4, 3, 1), (6, 3, 1), fl([1.5, 0.75]), fl([0.4, -0.3])]))
    return cases
