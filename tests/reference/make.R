# Writes what R computes of observations.csv to r.csv: the weighted fit on side and block in which each environment
# weighs the same, with CR2, CR3 and Satterthwaite's degrees of freedom by clubSandwich, and Holm's adjustment.
#
# Each environment has one value in a block here, the mean of its calls: where weights differ within a cluster there is
# more than one square root to take for CR2, and clubSandwich takes another than this project.

suppressPackageStartupMessages({
  library(clubSandwich)
  library(sandwich)
})

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
rows <- read.csv(file.path(here, "observations.csv"))
rows$cluster <- paste(rows$side, rows$environment)
rows <- aggregate(value ~ cluster + side + block, rows, mean)

fitted <- function(rows) {
  paired <- intersect(rows$block[rows$side == "baseline"], rows$block[rows$side == "candidate"])
  rows <- rows[rows$block %in% paired, ]
  blocks <- table(rows$cluster)
  rows$share <- 1 / as.numeric(blocks[rows$cluster])
  list(rows = rows, fit = lm(value ~ factor(block) + side, data = rows, weights = share))
}

estimate <- function(rows, type) {
  of <- fitted(rows)
  rows <- of$rows
  fit <- of$fit
  robust <- vcovCR(fit, cluster = rows$cluster, type = type, inverse_var = TRUE)
  test <- coef_test(fit, vcov = robust, test = "Satterthwaite", coefs = "sidecandidate")
  df <- if (is.null(test$df)) test$df_Satt else test$df
  c(estimate = test$beta, standard_error = test$SE, degrees_of_freedom = df)
}

# The variance of the difference by the scores of blocks, and by those of single calls, where the mean residual of each
# environment is taken out and residuals are scaled as if it were known.
disturbances <- function(rows) {
  of <- fitted(rows)
  rows <- of$rows
  w <- rows$share
  side <- residuals(lm(as.numeric(side == "candidate") ~ factor(block), data = rows, weights = share))
  information <- sum(w * side^2)
  by_block <- function(residual) sum(tapply(w * side * residual, rows$block, sum)^2) / information^2
  residual <- residuals(of$fit)
  plain <- vcovCL(of$fit, cluster = rows$block, type = "HC0", cadj = FALSE)["sidecandidate", "sidecandidate"]
  stopifnot(all.equal(by_block(residual), plain))
  deviation <- (residual - ave(residual, rows$cluster)) / sqrt(1 - rows$share)
  own <- w / ave(w, rows$block, FUN = sum)
  score <- w * side * deviation / information
  weight <- tapply(abs(w * side), rows$block, sum)^2
  c(
    of_blocks = by_block(deviation),
    of_calls = sum(score^2 / (1 - own)),
    degrees_of_freedom = sum(weight)^2 / sum(weight^2) - 1
  )
}

# Each environment in one block, as in a cold campaign.
cold <- transform(rows, cluster = paste(side, seq_along(value)))
results <- rbind(
  "unbalanced CR2" = estimate(rows, "CR2"),
  "unbalanced CR3" = estimate(rows, "CR3"),
  "cold CR2" = estimate(cold, "CR2"),
  "cold CR3" = estimate(cold, "CR3")
)
p <- c(0.01, 0.04, 0.03, 0.005, 0.5)
# Something that hits one side or the other in some blocks.
disturbed <- transform(rows, value = value + 0.05 * ((block * ifelse(side == "baseline", 7, 14)) %% 5))
disturbed <- rbind(undisturbed = disturbances(rows), disturbed = disturbances(disturbed))
write.csv(disturbed, file.path(here, "disturbances.csv"), quote = FALSE)
write.csv(results, file.path(here, "r.csv"), quote = FALSE)
write.csv(data.frame(p, holm = p.adjust(p, "holm")), file.path(here, "holm.csv"), quote = FALSE, row.names = FALSE)
