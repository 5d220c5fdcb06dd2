// Loops over the rows of a tile: layer norm, dropout, activations, causal attention and the softmax loss, each with its way back.
// `rows` rows of `n` floats, `…Stride` floats apart; any n, no alignment. Every sum over a row runs in 16 lanes; sums over rows run in
// order. Nothing allocates. Functions of more than one row are compiled for several instruction sets and chosen at run time.
#ifndef FRESHET_TILE_ROWS_H
#define FRESHET_TILE_ROWS_H

#include <stddef.h>
#include <stdint.h>

// Layer norm: out = (x - mean) * inverse * gain + bias with inverse = 1 / sqrt(variance + eps); stores mean and inverse [rows].
// gain and bias may be NULL. out may be x.
void fk_layer_norm_rows(size_t rows, size_t n, const float *x, size_t xStride, const float *gain, const float *bias, float *out,
                        size_t outStride, float *mean, float *inverse, float eps);
// Its way back: from g, the gradient of out, dx (overwritten, or added to if `add`), and dgain += , dbias += [n], NULL where not
// wanted. dx may be g where it is not added to.
void fk_layer_norm_rows_slope(size_t rows, size_t n, const float *x, size_t xStride, const float *gain, const float *mean,
                              const float *inverse, const float *g, size_t gStride, int32_t add, float *dx, size_t dxStride,
                              float *dgain, float *dbias);

// Dropout: out[i] = (base ? base[i] : 0) + (8 random bits of (key, i) < threshold ? 0 : x[i] * 256 / (256 - threshold)).
// The bits depend on key and i alone. threshold 0...255. All three may be the same array.
void fk_dropout(const float *x, const float *base, float *out, size_t n, uint32_t threshold, uint64_t key);

typedef enum { FK_IDENTITY, FK_RELU, FK_SILU, FK_GELU, FK_TANH, FK_SIGMOID } fk_activation;
// x += bias [n] (NULL for none), then out = f(x): x keeps what f was applied to. out may be x where that is not needed.
void fk_activate_rows(fk_activation f, size_t rows, size_t n, float *x, size_t xStride, const float *bias, float *out,
                      size_t outStride);
// The way back: g = g * f'(x), where x is what f was applied to, and dbias [n] += the sum of the rows (NULL for none).
void fk_activate_rows_slope(fk_activation f, size_t rows, size_t n, const float *x, size_t xStride, float *g, size_t gStride,
                            float *dbias);
// out [n] += the sum of the rows.
void fk_sum_rows_into(size_t rows, size_t n, const float *x, size_t xStride, float *out);

// table row indices[i] += scale * x row i, in order.
void fk_scatter_add_rows(float *table, size_t tableStride, const int32_t *indices, size_t rows, size_t n, const float *x,
                         size_t xStride, float scale);

// Rows of causal attention scores: row r belongs to position first + r and has first + r + 1 entries; the others, up to n, become 0.
// t = scale * s + bias[r, j]; biases is NULL or points at the bias of (position 0 of the tile, entry 0); row r's begin at biases - r,
// so that one array in order of falling distance serves all rows.
//   softmax: s = e^t / sum, and logSums[r] = ln sum.
//   silu:    s = t / (1 + e^-t) * weight.
void fk_causal_softmax_rows(size_t rows, size_t n, size_t first, float *s, size_t stride, float scale, const float *biases,
                            float *logSums);
void fk_causal_silu_rows(size_t rows, size_t n, size_t first, float *s, size_t stride, float scale, const float *biases,
                         float weight);
// The same probabilities from scores and the logarithms of the sums: s = e^(t - logSums[r]).
void fk_causal_softmax_again_rows(size_t rows, size_t n, size_t first, float *s, size_t stride, float scale, const float *biases,
                                  const float *logSums);
// The way back: g holds the gradient of the weights and becomes that of the scores s (before `scale`); entries beyond become 0.
//   softmax: p the weights, along[r] = sum over j of p g, which is the product of the output and its gradient.
//   silu:    s the scores, with the same scale, biases and weight.
// biasSlopes: NULL, or added to, laid out as biases.
void fk_causal_softmax_rows_slope(size_t rows, size_t n, size_t first, const float *p, size_t pStride, float *g, size_t gStride,
                                  float scale, const float *along, float *biasSlopes);
void fk_causal_silu_rows_slope(size_t rows, size_t n, size_t first, const float *s, size_t sStride, float *g, size_t gStride,
                               float scale, const float *biases, float weight, float *biasSlopes);

// The softmax loss. x += corrections [n] (NULL for none); top[r] = the larger of top[r] and the row's largest.
void fk_correct_and_top_rows(size_t rows, size_t n, float *x, size_t stride, const float *corrections, float *top);
// x = e^(x + corrections - shift[r]), sums[r] += the row's sum. Relative error below 4e-7; 0 where the exponent is below -87;
// infinity above 88; NaN stays NaN. This exponential is not that of `fk_exp`, which is within 2 units in the last place.
void fk_exp_sum_rows(size_t rows, size_t n, float *x, size_t stride, const float *corrections, const float *shift, float *sums);

#endif
