//! Symmetric systems of equations, small and solved the same way every time.

/// The lower triangle whose product with its transpose a matrix is; none where that is not positive definite. Of the
/// matrix the lower triangle alone is read.
pub(super) fn cholesky<R: AsRef<[f64]>>(matrix: &[R]) -> Option<Vec<Vec<f64>>> {
    let mut lower: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (row, cells) in matrix.iter().enumerate() {
        let mut line = vec![0.0; row + 1];
        for column in 0..=row {
            let above = lower.get(column).unwrap_or(&line);
            let known: f64 = line[..column].iter().zip(above).map(|(x, y)| x * y).sum();
            let left = cells.as_ref()[column] - known;
            line[column] = if row == column {
                if left.is_nan() || left <= 1e-12 {
                    return None;
                }
                left.sqrt()
            } else {
                left / lower[column][column]
            };
        }
        lower.push(line);
    }
    Some(lower)
}

/// Solves `L·Lᵀ·x = right` in place.
pub(super) fn solve(lower: &[Vec<f64>], right: &mut [f64]) {
    for row in 0..right.len() {
        let known: f64 = lower[row].iter().zip(&right[..row]).map(|(x, y)| x * y).sum();
        right[row] = (right[row] - known) / lower[row][row];
    }
    for row in (0..right.len()).rev() {
        let known: f64 = (row + 1..right.len()).map(|at| lower[at][row] * right[at]).sum();
        right[row] = (right[row] - known) / lower[row][row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: `[[4, 2], [2, 5]]·[1, 2] = [8, 12]`.
    #[test]
    fn a_system_of_two_is_solved() {
        let lower = cholesky(&[[4.0, 0.0], [2.0, 5.0]]).unwrap();
        let mut right = [8.0, 12.0];
        solve(&lower, &mut right);
        assert!((right[0] - 1.0).abs() < 1e-12 && (right[1] - 2.0).abs() < 1e-12, "{right:?}");
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        assert!(cholesky(&[[1.0, 0.0], [2.0, 1.0]]).is_none());
        assert!(cholesky(&[[f64::NAN]]).is_none());
    }
}
